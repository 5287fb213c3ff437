"""A few homes and their people, written as rows of the contract, for the linkage tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from earlyflag import linkage
from earlyflag.sources.schema import TABLES


@dataclass
class Village:
    """Rows by table; each method adds one and returns the village."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def _add(self, table: str, **row: Any) -> Village:
        self.rows.setdefault(table, []).append(row)
        return self

    def home(self, uprn: str, postcode: str = "N16 5TZ") -> Village:
        return self._add("properties", uprn=uprn, address="1 Test Street", postcode=postcode)

    def account(
        self, ref: str, uprn: str, since: str, until: str | None = None, **row: Any
    ) -> Village:
        return self._add("council_tax_accounts", **{
            "account_ref": ref, "uprn": uprn, "valid_from": since, "valid_to": until,
            "payment_method": "cash", "instalments": 10, "discount": "none", **row,
        })  # fmt: skip

    def payer(
        self, account: str, ref: str, name: str, born: str | None = None, since: str = "2020-01-10",
        until: str | None = None, role: str = "lead", **row: Any,
    ) -> Village:  # fmt: skip
        forename, _, surname = name.partition(" ")
        return self._add("council_tax_people", **{
            "account_ref": account, "person_ref": ref, "forename": forename, "surname": surname,
            "date_of_birth": born, "valid_from": since, "valid_to": until, "role": role, **row,
        })  # fmt: skip

    def tenancy(
        self, ref: str, uprn: str, since: str, until: str | None = None, **row: Any
    ) -> Village:
        return self._add("tenancies", **{
            "tenancy_ref": ref, "uprn": uprn, "valid_from": since, "valid_to": until,
            "landlord": "council", "tenancy_type": "secure", "weekly_rent_pence": 12000, **row,
        })  # fmt: skip

    def tenant(
        self, tenancy: str, ref: str, name: str, born: str | None = None, since: str = "2020-01-10",
        until: str | None = None, relationship: str = "tenant", **row: Any,
    ) -> Village:  # fmt: skip
        forename, _, surname = name.partition(" ")
        return self._add("tenancy_people", **{
            "tenancy_ref": tenancy, "person_ref": ref, "forename": forename, "surname": surname,
            "date_of_birth": born, "valid_from": since, "valid_to": until,
            "relationship": relationship, **row,
        })  # fmt: skip

    def case(
        self, ref: str, name: str, born: str | None = None, on: str = "2021-06-15",
        uprn: str | None = None, postcode: str | None = None, **row: Any,
    ) -> Village:  # fmt: skip
        forename, _, surname = name.partition(" ")
        return self._add("homelessness_cases", **{
            "case_ref": ref, "person_ref": f"h-{ref}", "forename": forename, "surname": surname,
            "date_of_birth": born, "last_settled_uprn": uprn, "last_settled_postcode": postcode,
            "approached_on": on, "duty": "none", "reason": "other", "accommodation": "other",
            "household_type": "single_adult", **row,
        })  # fmt: skip

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        """Create the contract's views as `sources.Tables` does."""
        for name, table in TABLES.items():
            types = {column.name: column.sql_type for column in table.columns}
            types["superseded_on"] = "DATE"
            rows = self.rows.get(name, [])
            frame = pd.DataFrame(
                {c: pd.Series([row.get(c) for row in rows], dtype="object") for c in types}
            )
            con.register(f"village_{name}", frame)
            start = table.dated_by
            con.execute(
                f"CREATE OR REPLACE VIEW {name} AS SELECT "
                + ", ".join(_typed(c, kind, start) for c, kind in types.items())
                + f" FROM village_{name}"
            )

    def link(self, folder: Path, *cut_offs: str, **options: Any) -> Linked:
        """Return the linked households, to be asked questions."""
        days = [date.fromisoformat(day) for day in cut_offs]
        return Linked(linkage.link(self, days, folder, threads=1, **options))


def _typed(column: str, kind: str, start: str | None) -> str:
    value = f'CAST("{column}" AS {kind})'
    if column == "known_on" and start:
        value = f'coalesce({value}, CAST("{start}" AS DATE))'
    if column == "valid_to_known_on":
        value = f"coalesce({value}, CAST(valid_to AS DATE))"
    if column in ("uprn", "last_settled_uprn"):
        value = f"lpad({value}, 12, '0')"
    return f'{value} AS "{column}"'


class Linked:
    """Questions that a test asks of linked households."""

    def __init__(self, households: linkage.Households) -> None:
        self.con = duckdb.connect()
        households.register(self.con)

    def _at(self, table: str, columns: str, as_of: str) -> list[tuple[Any, ...]]:
        return self.con.execute(
            f"SELECT DISTINCT {columns} FROM {table} "
            "WHERE from_as_of <= $1 AND (to_as_of IS NULL OR $1 < to_as_of) ORDER BY ALL",
            [date.fromisoformat(as_of)],
        ).fetchall()

    def household_of(self, as_of: str) -> dict[str, str]:
        """Return person_ref -> household_id."""
        return dict(self._at("household_members", "person_ref, household_id", as_of))

    def person_of(self, as_of: str) -> dict[str, str]:
        """Return person_ref -> person_id."""
        return dict(self._at("household_members", "person_ref, person_id", as_of))

    def home_of(self, as_of: str) -> dict[str, str]:
        """Return account_ref or tenancy_ref -> household_id."""
        return dict(
            self._at("household_homes", "coalesce(account_ref, tenancy_ref), household_id", as_of)
        )

    def people(self, as_of: str) -> set[frozenset[str]]:
        """Return the households as sets of person_refs."""
        groups: dict[str, set[str]] = {}
        for ref, household in self.household_of(as_of).items():
            groups.setdefault(household, set()).add(ref)
        return {frozenset(group) for group in groups.values()}

    def case(self, ref: str) -> tuple[str, set[str]]:
        """Return how a case was matched and the person_refs it is linked to."""
        rows = self.con.execute(
            "SELECT matched, person_ref FROM case_links WHERE case_ref = $1", [ref]
        ).fetchall()
        assert len({matched for matched, _ in rows}) == 1
        return rows[0][0], {person for _, person in rows if person}

    def everything(self) -> list[tuple[Any, ...]]:
        """Return every dated row, to compare two runs."""
        return [
            row
            for table in ("household_members", "household_homes", "case_links")
            for row in self.con.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
        ]
