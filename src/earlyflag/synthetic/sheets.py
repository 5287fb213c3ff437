"""The contract's tables while they are being written: codes and references as small integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from earlyflag.sources.schema import TABLES, Table
from earlyflag.synthetic.columns import NO_DATE, NONE, Columns

#: What each reference column counts, and how it is written: prefix and digits.
REFERENCES: dict[str, tuple[str, int]] = {
    "account_ref": ("3", 7),
    "tenancy_ref": ("T", 7),
    "claim_ref": ("B", 7),
    "case_ref": ("HC", 6),
    "event_ref": ("E", 8),
    "outcome_ref": ("O", 7),
    "suppression_ref": ("S", 6),
    "intervention_ref": ("I", 6),
}
#: Columns that are looked up from the person's record when the table is written.
FROM_PERSON_RECORD = ("forename", "surname", "date_of_birth")


class Sheet:
    """One contract table in columns of integers.

    Dates are day numbers (`NO_DATE` is blank), codes are positions in the declaration (`NONE` is
    blank), references and UPRNs are row numbers of what they name (`NONE` is blank).
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.codes = {
            column.name: {word: index for index, word in enumerate(column.codes)}
            for column in table.columns
            if column.kind == "code"
        }
        self.rows = Columns(
            {
                column.name: _storage(column.kind)
                for column in table.columns
                if column.name not in FROM_PERSON_RECORD and column.name != "transaction_ref"
            }
        )

    def append(self, count: int, **values: Any) -> np.ndarray:
        """Add rows; code columns take words or positions. Return the row numbers."""
        return self.rows.append(
            count, **{name: self._coded(name, value) for name, value in values.items()}
        )

    def set(self, rows: np.ndarray, **values: Any) -> None:
        """Write values into existing rows."""
        for name, value in values.items():
            self.rows[name][rows] = self._coded(name, value)

    def code(self, column: str, word: str) -> int:
        """Return the position of a code word."""
        return self.codes[column][word]

    def _coded(self, name: str, value: Any) -> Any:
        return self.codes[name][value] if isinstance(value, str) else value


def _storage(kind: str) -> tuple[Any, Any, tuple[int, ...]]:
    match kind:
        case "date":
            return np.int32, NO_DATE, ()
        case "code":
            return np.int8, NONE, ()
        case "boolean":
            return np.bool_, False, ()
        case _:
            return np.int32, NONE, ()


def new_sheets() -> dict[str, Sheet]:
    """Return one empty sheet for every table of the contract."""
    return {name: Sheet(table) for name, table in TABLES.items()}
