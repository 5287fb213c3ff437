"""Small builders: contract rows with defaults, so that a test states only what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from earlyflag.core.settings import LawfulBasis
from earlyflag.sources import TABLES, Tables, tables_from_frames
from earlyflag.sources.declare import Column, Table

Row = Mapping[str, Any]

DEFAULTS: dict[str, Any] = {
    "valid_from": date(2020, 1, 1),
    "happened_on": date(2024, 1, 1),
    "approached_on": date(2024, 1, 1),
    "uprn": "100000000001",
    "address": "1 Test Street",
    "postcode": "W1A 1AA",
    "forename": "Alex",
    "surname": "Example",
    "account_ref": "A1",
    "tenancy_ref": "T1",
    "amount_pence": 10_000,
    "balance_pence": 10_000,
    "weekly_pence": 5_000,
    "weekly_rent_pence": 12_000,
    "instalments": 10,
    "capped": False,
    "payment_method": "direct_debit",
    "discount": "none",
    "kind": None,
}

PREFIXES = {
    "transaction_ref": "TR", "event_ref": "EV", "claim_ref": "CL", "case_ref": "HC",
    "outcome_ref": "OU", "suppression_ref": "SU", "intervention_ref": "IN", "person_ref": "P",
}  # fmt: skip


def row(table: Table, number: int, given: Row) -> dict[str, Any]:
    """Return one contract row: what is given, and a default for every required column."""
    unknown = set(given) - set(table.column_names)
    if unknown:
        raise KeyError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    return {
        column.name: given[column.name] if column.name in given else _default(column, number)
        for column in table.columns
    }


def _default(column: Column, number: int) -> Any:
    if column.nullable:
        return None
    if column.name in PREFIXES:
        return f"{PREFIXES[column.name]}{number}"
    if DEFAULTS.get(column.name) is not None:
        return DEFAULTS[column.name]
    if column.kind == "code":
        return column.codes[0]
    return {"date": date(2024, 1, 1), "pence": 0, "integer": 1, "boolean": False}.get(
        column.kind, "example"
    )


def frames(**tables: Sequence[Row]) -> dict[str, pd.DataFrame]:
    """Return contract frames from lists of rows, each filled up with defaults.

    `frames(council_tax_accounts=[{"account_ref": "A1"}], benefits=[])`
    """
    made = {}
    for name, rows in tables.items():
        table = TABLES[name]
        filled = [row(table, number, given) for number, given in enumerate(rows, start=1)]
        made[name] = pd.DataFrame(filled, columns=list(table.column_names), dtype=object)
    return made


def tables(folder: Path, **rows: Sequence[Row]) -> Tables:
    """Return validated tables holding the given rows; tables not named are missing."""
    return tables_from_frames(frames(**rows), folder)


def write_extracts(folder: Path, **rows: Sequence[Row]) -> Path:
    """Write rows as the contract's CSV files into a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames(**rows).items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def lawful_bases() -> dict[str, LawfulBasis]:
    """Return a complete lawful basis for every table."""
    basis = LawfulBasis(
        gateway="Housing Act 1996 s.195",
        approved_by="Information governance",
        approved_on=date(2024, 1, 1),
        impact_assessment="DPIA-1",
    )
    return dict.fromkeys(TABLES, basis)
