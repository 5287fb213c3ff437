"""Reads the feature cases that a housing officer could read, and computes all of them at once.

A case is a heading, the rows of some tables and the values that follow:

    case Two of three instalments missed
      council_tax_transactions
        2026-04-01 charge £100.00
      gives
        council_tax_instalments_missed_3m 1

Each case is a household of its own, with one council tax account open since 2020 (unless it lists
its own) and a tenancy where it lists one. Every case is seen from 1 July 2026. `name=value` sets
a further column; `2026-01-01..2026-03-31` is a spell, `2026-01-01..` one that is open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from earlyflag.sources.declare import Table
from earlyflag.sources.schema import TABLES
from tests import factories

AS_OF = date(2026, 7, 1)
FOLDER = Path(__file__).parent / "spec" / "features"

ORDER = {
    "council_tax_transactions": ("happened_on", "kind", "amount_pence"),
    "rent_transactions": ("happened_on", "kind", "amount_pence"),
    "council_tax_recovery": ("happened_on", "stage", "balance_pence"),
    "tenancy_events": ("happened_on", "kind"),
    "council_tax_accounts": ("spell", "payment_method", "discount"),
    "benefits": ("spell", "kind", "weekly_pence"),
    "tenancies": ("spell", "landlord", "tenancy_type", "weekly_rent_pence"),
    "council_tax_people": ("spell", "person_ref", "role"),
    "tenancy_people": ("spell", "person_ref", "relationship"),
    "homelessness_cases": ("approached_on", "person_ref"),
    "properties": (),
}
BY_ACCOUNT = {"council_tax_transactions", "council_tax_recovery", "council_tax_people"}
BY_TENANCY = {"rent_transactions", "tenancy_people", "tenancy_events"}


@dataclass
class Case:
    """One household, its rows and the values expected."""

    title: str
    file: str
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)


class HandmadeTables:
    """The contract's views from rows written by hand, replaced versions (`superseded_on`) too."""

    missing: tuple[str, ...] = ()
    last_known_on = date(2030, 1, 1)

    def __init__(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        self.rows = rows

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        """Create one typed view a contract table, with the dates of knowledge filled."""
        for name, table in TABLES.items():
            types = {c.name: c.sql_type for c in table.columns} | {"superseded_on": "DATE"}
            if table.dated_by:
                types.setdefault("known_on", "DATE")
            rows = [
                self._filled(table, number, row)
                for number, row in enumerate(self.rows.get(name, ()))
            ]
            frame = pd.DataFrame(rows, columns=list(types), dtype=object)
            con.register(f"given_{name}", frame)
            typed = ", ".join(f"CAST({c} AS {kind}) AS {c}" for c, kind in types.items())
            con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {typed} FROM given_{name}")
            con.unregister(f"given_{name}")

    @staticmethod
    def _filled(table: Table, number: int, given: dict[str, Any]) -> dict[str, Any]:
        plain = {name: value for name, value in given.items() if name != "superseded_on"}
        row = factories.row(table, number, plain) | given
        if table.dated_by:
            row["known_on"] = row.get("known_on") or row[table.dated_by]
        for day, known in (("valid_to", "valid_to_known_on"), ("duty_on", "duty_known_on"),
                           ("closed_on", "closed_known_on")):  # fmt: skip
            if known in row:
                row[known] = row[known] or row[day]
        return row


class HandmadeHouseholds:
    """Linkage's views from rows written by hand."""

    def __init__(self, homes: list[tuple], members: list[tuple], links: list[tuple]) -> None:
        self.homes, self.members, self.links = homes, members, links

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        """Create the views that features read."""
        frames = {
            "household_homes": (self.homes, HOMES),
            "household_members": (self.members, MEMBERS),
            "case_links": (self.links, LINKS),
        }
        for name, (rows, columns) in frames.items():
            frame = pd.DataFrame(rows, columns=list(columns), dtype=object)
            con.register(f"given_{name}", frame)
            typed = ", ".join(f"CAST({c} AS {kind}) AS {c}" for c, kind in columns.items())
            con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {typed} FROM given_{name}")
            con.unregister(f"given_{name}")


HOMES = {
    "household_id": "VARCHAR", "uprn": "VARCHAR", "account_ref": "VARCHAR",
    "tenancy_ref": "VARCHAR", "from_as_of": "DATE", "to_as_of": "DATE",
}  # fmt: skip
MEMBERS = {
    "household_id": "VARCHAR", "person_id": "VARCHAR", "source": "VARCHAR",
    "person_ref": "VARCHAR", "role": "VARCHAR", "date_of_birth": "DATE",
    "from_as_of": "DATE", "to_as_of": "DATE",
}  # fmt: skip
LINKS = {
    "case_ref": "VARCHAR", "matched": "VARCHAR", "person_id": "VARCHAR", "source": "VARCHAR",
    "person_ref": "VARCHAR", "uprn": "VARCHAR", "from_as_of": "DATE", "to_as_of": "DATE",
}  # fmt: skip


def read_cases(folder: Path = FOLDER) -> list[Case]:
    """Return every case of the files in a folder."""
    return [case for file in sorted(folder.glob("*.txt")) for case in _of_file(file)]


def _of_file(file: Path) -> list[Case]:
    cases: list[Case] = []
    table = ""
    for line in file.read_text("utf-8").splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "case":
            cases.append(Case(" ".join(words[1:]), file.stem))
        elif len(words) == 1 and (words[0] in ORDER or words[0] == "gives"):
            table = words[0]
        elif table == "gives":
            cases[-1].values[words[0]] = float("nan" if words[1] == "missing" else words[1])
        else:
            cases[-1].rows.setdefault(table, []).append(_row(table, words))
    return cases


def _row(table: str, words: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    plain = [word for word in words if "=" not in word]
    for name, word in zip(ORDER[table], plain, strict=False):
        if name == "spell":
            start, _, end = word.partition("..")
            row |= {"valid_from": start, "valid_to": end or None}
        else:
            row[name] = _value(word)
    row |= {name: _value(word) for name, _, word in (w.partition("=") for w in words if "=" in w)}
    return row


def _value(word: str) -> Any:
    if word in ("yes", "no"):
        return word == "yes"
    if "£" in word:
        return round(float(word.replace("£", "")) * 100)
    return word


def village(cases: list[Case]) -> tuple[dict[str, list[dict[str, Any]]], HandmadeHouseholds]:
    """Return the rows of all cases as one borough, and its households: H0, H1, ... by case."""
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in ORDER}
    households = HandmadeHouseholds([], [], [])
    for number, case in enumerate(cases):
        _settle(number, case, tables, households)
    for name, key in (("council_tax_transactions", "transaction_ref"), ("benefits", "claim_ref"),
                      ("rent_transactions", "transaction_ref"), ("tenancy_events", "event_ref"),
                      ("homelessness_cases", "case_ref")):  # fmt: skip
        for number, row in enumerate(tables[name]):
            row.setdefault(key, f"{name[:3].upper()}{number}")
    return tables, households


def _settle(
    number: int,
    case: Case,
    tables: dict[str, list[dict[str, Any]]],
    households: HandmadeHouseholds,
) -> None:
    account, tenancy, uprn = f"A{number}", f"T{number}", f"{number:012d}"
    household, begun = f"H{number}", date(2020, 1, 1)
    houses = {"tenancies", "rent_transactions", "tenancy_people"} & set(case.rows)
    given = {
        "council_tax_accounts": [{"valid_from": "2020-01-01"}],
        "properties": [{}],
        **case.rows,
    }
    households.homes.append((household, uprn, account, None, begun, None))
    if houses:
        households.homes.append((household, uprn, None, tenancy, begun, None))
        given.setdefault("tenancies", [{"valid_from": "2020-01-01"}])
    for table, rows in given.items():
        for row in rows:
            placed = dict(row)
            if table in ("council_tax_accounts", "properties", "tenancies"):
                placed["uprn"] = uprn
            if table in BY_ACCOUNT or table in ("council_tax_accounts", "benefits"):
                placed["account_ref"] = account
            if table in BY_TENANCY or table == "tenancies":
                placed["tenancy_ref"] = tenancy if houses else None
            if table == "tenancy_events":
                placed["uprn"] = uprn
            if "person_ref" in placed:
                placed["person_ref"] = f"{number}-{placed['person_ref']}"
            if table == "homelessness_cases":
                source = "tenancy" if "tenancy_people" in case.rows else "council_tax"
                person = placed["person_ref"]
                placed["case_ref"] = f"C{number}-{len(households.links)}"
                households.links.append((placed["case_ref"], "person", person, source,
                                         person, None, begun, None))  # fmt: skip
            tables[table].append(placed)
            if table in ("council_tax_people", "tenancy_people") and not placed.get("valid_to"):
                source = "council_tax" if table == "council_tax_people" else "tenancy"
                role = placed["role" if source == "council_tax" else "relationship"]
                households.members.append((household, placed["person_ref"], source,
                                           placed["person_ref"], role,
                                           placed.get("date_of_birth"), begun, None))  # fmt: skip


def compute(cases: list[Case], folder: Path, as_of: date = AS_OF) -> pd.DataFrame:
    """Return the features of every case, one row each, in their order."""
    from earlyflag import features

    rows, households = village(cases)
    tables = factories.tables(folder / "tables", **rows)
    store = features.build(tables, households, [as_of], folder / "features", threads=1)
    frame = store.frame([as_of]).set_index("household_id")
    return frame.loc[[f"H{number}" for number in range(len(cases))]]
