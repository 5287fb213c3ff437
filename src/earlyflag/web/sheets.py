"""Sheets that people send: alerts read from CSV."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal, InvalidOperation

from earlyflag.casework.alerts import AlertForm
from earlyflag.core.errors import InputInvalid

COLUMNS = (
    "tenant_name", "address", "postcode", "uprn", "tenancy_ref", "happened_on", "arrears_pounds",
    "statement",
)  # fmt: skip
MOST_ROWS = 1_000


class SheetError(InputInvalid):
    """A sheet cannot be read; the message names the row and column, never the value."""


def pence(text: str, field: str) -> int | None:
    """Return an amount in pounds as whole pence; None where there is none.

    Raises
    ------
    InputInvalid
        It is no amount of 0 or more with at most two decimals.
    """
    plain = text.strip().replace("£", "").replace(",", "")
    if not plain:
        return None
    try:
        amount = Decimal(plain) * 100
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0 or amount > 10**9 or amount != amount.to_integral():
        raise InputInvalid("Enter the amount in pounds, such as 412.50", field)
    return int(amount)


def read_sheet(content: bytes) -> list[AlertForm]:
    """Return the alerts of a CSV file.

    Raises
    ------
    SheetError
        It is no UTF-8 CSV, a column is missing, it is empty or too long, or a cell is wrong.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetError("The file is not UTF-8 text. Save it as CSV (UTF-8).") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    needed = ("tenant_name", "address", "postcode", "happened_on")
    missing = [name for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise SheetError(f"The first row does not name these columns: {', '.join(missing)}.")
    rows = list(reader)
    if not 1 <= len(rows) <= MOST_ROWS:
        raise SheetError(f"Got {len(rows):,} rows, but expected 1 to {MOST_ROWS:,}.")
    return [_alert(number, row) for number, row in enumerate(rows, start=2)]


def _alert(number: int, row: dict[str, str | None]) -> AlertForm:
    cell = {name: (row.get(name) or "").strip() for name in COLUMNS}
    try:
        happened_on = date.fromisoformat(cell["happened_on"])
        arrears = pence(cell["arrears_pounds"], "arrears_pounds")
    except InputInvalid as error:
        raise SheetError(f"Row {number}, arrears_pounds: {error}") from error
    except ValueError as error:
        raise SheetError(
            f"Row {number}, happened_on: expected a date written 2027-03-27."
        ) from error
    return AlertForm(
        happened_on=happened_on,
        tenant_name=cell["tenant_name"],
        address=cell["address"],
        postcode=cell["postcode"],
        uprn=cell["uprn"] or None,
        tenancy_ref=cell["tenancy_ref"] or None,
        arrears_pence=arrears,
        statement=cell["statement"],
    )
