"""The rules a value must keep, as SQL generated from the declaration of its column.

A rule gives the value as the store keeps it and the conditions under which the row is rejected.
Only what a rule declares is repaired: space around a value, a UPRN without its leading zeros, a
postcode's case and spacing. All else is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass

from earlyflag.sources import sql
from earlyflag.sources.declare import Column, Form

EARLIEST, LATEST = "1850-01-01", "2199-12-31"

SPACE = " \t\r\n\u00a0\ufeff"

# What a spreadsheet makes of a long reference, and what it shows when a formula fails.
MANGLED = r"[-+]?\d+(\.\d+)?[eE][-+]?\d+"
PLACEHOLDERS = ("NULL", "(null)", "<NULL>", "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!")
OVERFLOWN = r"#{2,}"

RULES: dict[str, str] = {
    "row_shape": "The line has more or fewer fields than the header, or a stray quote.",
    "encoding": "The line holds bytes that are no text in the file's encoding.",
    "line_too_long": "The line is longer than any record can be.",
    "missing": "The column may not be blank.",
    "placeholder": "A database's or spreadsheet's word for nothing (NULL, #N/A); name it in the "
    "mapping's `blank` if it means blank.",
    "spreadsheet_number": "A reference that a spreadsheet turned into a number (3.00012E+08).",
    "date": "Not a day of the calendar in the declared format (ISO `YYYY-MM-DD` unless mapped).",
    "date_range": f"A day before {EARLIEST} or after {LATEST}.",
    "pence": "Not a whole number of pence; money in pounds needs a mapping.",
    "money": "Not an amount in the declared money format.",
    "integer": "Not a whole number, or outside the range the column allows.",
    "boolean": "Neither `true` nor `false`.",
    "code": "Not one of the column's codes.",
    "uprn": "Not a number of up to 12 digits.",
    "postcode": "Not a postcode.",
    "name": "Not a name: it has no letter, or a comma (two names in one field need a mapping).",
    "word": "Not a code word: lower-case letters, digits and underscores.",
    "split": "The field does not have the parts that the mapping expects.",
    "lookup": "The mapping's other file has no row for this one, or more than one.",
    "ends_before_start": "The spell ends before it starts.",
    "same_key_differs": "The key comes more than once in the delivery with different values.",
}

POSTCODE = r"(GIR 0AA|[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][ABD-HJLNP-UW-Z]{2})"


@dataclass(frozen=True, slots=True)
class Reading:
    """How one column is read: the trimmed text, its value, and what is refused.

    Attributes
    ----------
    text : SQL of the value as text, NULL where blank; refers to raw columns
    value : SQL of the typed value; refers to `t` (the text)
    refusals : (rule, SQL condition over `t` and `v`), in the order they are tried
    """

    text: str
    value: str
    refusals: tuple[tuple[str, str], ...]


def trimmed(expression: str) -> str:
    """Return SQL that strips space around a text and makes a blank one NULL."""
    return f"nullif(trim({expression}, {sql.text(SPACE)}), '')"


def day_value(text: str) -> str:
    """Return SQL that reads an ISO day, and NULL for anything else."""
    return f"CASE WHEN {text} LIKE '____-__-__' THEN TRY_CAST({text} AS DATE) END"


def out_of_range(value: str) -> str:
    """Return SQL that is true for a day no record of a council can carry."""
    return f"{value} NOT BETWEEN DATE '{EARLIEST}' AND DATE '{LATEST}'"


def default_value(column: Column, text: str) -> str:
    """Return SQL of a column's typed value, read as the contract writes it."""
    if column.kind == "date":
        return day_value(text)
    if column.kind == "pence":
        return (
            f"CASE WHEN regexp_full_match({text}, '-?\\d{{1,15}}') THEN CAST({text} AS BIGINT) END"
        )
    if column.kind == "integer":
        return (
            f"CASE WHEN regexp_full_match({text}, '-?\\d{{1,9}}') THEN CAST({text} AS INTEGER) END"
        )
    if column.kind == "boolean":
        return f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    return _form_value(column.form, text)


def _form_value(form: Form | None, text: str) -> str:
    if form == "uprn":
        return f"lpad({text}, 12, '0')"
    if form == "postcode":
        packed = f"regexp_replace(upper({text}), '\\s', '', 'g')"
        return f"{packed}[:-4] || ' ' || {packed}[-3:]"
    return text


def refusals(column: Column, text: str, value: str) -> tuple[tuple[str, str], ...]:
    """Return the rules of a column, first to be tried first, over its text and value."""
    found: list[tuple[str, str]] = []
    if not column.nullable:
        found.append(("missing", f"{text} IS NULL"))
    if column.kind == "text":
        found += [
            ("placeholder", f"{text} IN {sql.texts(PLACEHOLDERS)} OR "
             f"({text} LIKE '##%' AND regexp_full_match({text}, '{OVERFLOWN}'))"),
            *_form_refusals(column.form, text, value),
        ]  # fmt: skip
    elif column.kind == "code":
        found.append(("code", f"{text} NOT IN {sql.texts(column.codes)}"))
    else:
        found.append((column.kind, f"{text} IS NOT NULL AND {value} IS NULL"))
    if column.kind == "date":
        found.append(("date_range", out_of_range(value)))
    if column.kind == "integer":
        if column.codes:
            found.append(("integer", f"{value} NOT IN ({', '.join(column.codes)})"))
        elif column.minimum is not None:
            found.append(("integer", f"{value} NOT BETWEEN {column.minimum} AND {column.maximum}"))
    return tuple(found)


def _form_refusals(form: Form | None, text: str, value: str) -> list[tuple[str, str]]:
    if form == "reference":
        # The cheap look for an "e" spares most rows the pattern.
        return [("spreadsheet_number", f"(contains({text}, 'E') OR contains({text}, 'e')) "
                 f"AND regexp_full_match({text}, '{MANGLED}')")]  # fmt: skip
    if form == "uprn":
        return [("uprn", f"NOT regexp_full_match({text}, '\\d{{1,12}}')")]
    if form == "postcode":
        return [("postcode", f"NOT regexp_full_match({value}, '{POSTCODE}')")]
    if form == "name":
        return [("name", f"contains({text}, ',') OR NOT regexp_matches({text}, '\\p{{L}}')")]
    if form == "word":
        return [("word", f"NOT regexp_full_match({text}, '[a-z][a-z0-9_]*')")]
    return []
