"""How a mapping reads a column: its SQL, built from the declared formats and codes."""

from __future__ import annotations

from collections.abc import Callable

from earlyflag.sources import rules, sql
from earlyflag.sources.declare import Column
from earlyflag.sources.mapping import ColumnMapping, Split, Texts
from earlyflag.sources.mapping import Mapping as SupplierMapping
from earlyflag.sources.rules import Reading
from earlyflag.sources.validate import plain_reading

MONEY = (
    r"[(]?\s*[-+]?\s*£?\s*[-+]?\s*(\d{1,3}(,\d{3}){1,4}|\d{1,13})(\.\d{1,2})?"
    r"\s*[)]?\s*(CR|DR)?\s*-?"
)


def reading(
    column: Column,
    mapped: ColumnMapping | None,
    supplier: SupplierMapping | None,
    raw: Callable[[str], str | None],
    *,
    joined: bool = False,
) -> Reading:
    """Return how one contract column is read from a supplier's columns.

    Parameters
    ----------
    mapped : what the mapping says of the column; None where it says nothing
    supplier : the mapping's defaults; None where there is no mapping
    raw : SQL of a supplier's column by its name, None where the file does not have it
    joined : whether columns of other files are among them, which may be ambiguous
    """
    if supplier is None:
        return plain_reading(column, raw(column.name))
    mapped = mapped or ColumnMapping(**{"from": column.name})
    blank = (*supplier.blank, *mapped.blank)
    text, refused = _text(mapped, raw, blank)
    value, extra = _value(column, mapped, supplier)
    own = f"t_{column.name}", f"v_{column.name}"
    checks = [check for check in rules.refusals(column, *own) if check[0] not in extra]
    first = [check for check in checks if check[0] == "missing"]
    rest = [check for check in checks if check[0] != "missing"]
    broken = tuple((rule, condition.format(t=own[0])) for rule, condition in refused)
    if joined:
        first.insert(0, ("lookup", f"contains({own[0]}, {sql.text(AMBIGUOUS)})"))
    # A failed split leaves no text, so it has to be told before the column counts as missing.
    return Reading(text, value, (*broken, *first, *extra.values(), *rest))


def _blanked(source: str, blank: Texts) -> str:
    trimmed = rules.trimmed(source)
    if not blank:
        return trimmed
    return f"CASE WHEN {trimmed} IN {sql.texts(blank)} THEN NULL ELSE {trimmed} END"


MARK = "\x1asplit"

# Stands for a value that another file has more than once, and differently, for one key.
AMBIGUOUS = "\x1aambiguous"


def _text(
    mapped: ColumnMapping, raw: Callable[[str], str | None], blank: Texts
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return SQL of the text, and the refusals over it (`{t}`) that this way of reading brings."""
    text = _source(mapped, raw, blank)
    refused: tuple[tuple[str, str], ...] = ()
    if mapped.split:
        text = _blanked(_part(text, mapped.split, otherwise=sql.text(MARK)), blank)
        refused = (("split", f"contains({{t}}, {sql.text(MARK)})"),)
    if mapped.codes or mapped.patterns:
        text = f"nullif({_coded(text, mapped)}, '')"
    if mapped.suffix:
        text = f"{text} || {sql.text(mapped.suffix)}"
    if mapped.numbered:
        text = f"{text} || '/' || row_number() OVER (PARTITION BY {text})"
    return text, refused


def _source(mapped: ColumnMapping, raw: Callable[[str], str | None], blank: Texts) -> str:
    if mapped.constant is not None:
        return f"nullif({sql.text(mapped.constant)}, '')"
    found = [(name, raw(name)) for name in mapped.sources]
    present = {name: _blanked(part, blank) for name, part in found if part is not None}
    if not present:
        return "CAST(NULL AS VARCHAR)"
    if mapped.join:
        return rules.trimmed(f"concat_ws({sql.text(mapped.with_)}, {', '.join(present.values())})")
    parts = [
        _part(present[part.from_], part.split, "NULL") if part.split else present[part.from_]
        for part in mapped.first_of
        if part.from_ in present
    ]
    return f"coalesce({', '.join(parts)})" if parts else next(iter(present.values()))


def _part(text: str, split: Split, otherwise: str) -> str:
    pattern = sql.text(split.pattern)
    part = rules.trimmed(f"regexp_extract({text}, {pattern}, {split.part})")
    return (
        f"CASE WHEN {text} IS NULL THEN NULL WHEN regexp_full_match({text}, {pattern}) "
        f"THEN {part} ELSE {otherwise} END"
    )


def _coded(text: str, mapped: ColumnMapping) -> str:
    """Return SQL that turns the supplier's codes into the contract's.

    A code that the mapping does not name keeps its text, which the column's own rule refuses
    unless it is one of the contract's words already.
    """
    cases = [f"WHEN {text} = {sql.text(MARK)} THEN {text}"] if mapped.split else []
    cases += [f"WHEN {text} = {sql.text(a)} THEN {sql.text(b)}" for a, b in mapped.codes.items()]
    cases += [
        f"WHEN regexp_full_match({text}, {sql.text(pattern)}) THEN {sql.text(code)}"
        for pattern, code in mapped.patterns.items()
    ]
    other = text
    if mapped.otherwise:
        other = f"CASE WHEN {text} IS NOT NULL THEN {sql.text(mapped.otherwise)} END"
    return f"CASE {' '.join(cases)} ELSE {other} END"


def _value(
    column: Column, mapped: ColumnMapping, supplier: SupplierMapping
) -> tuple[str, dict[str, tuple[str, str]]]:
    """Return SQL of the value, and the refusals that replace those of the contract's form."""
    own, typed = f"t_{column.name}", f"v_{column.name}"
    formats = mapped.date or supplier.date
    if column.kind == "date" and formats and mapped.constant is None:
        latest = mapped.latest_year or supplier.latest_year
        return _day(own, formats, latest), {}
    money = mapped.money or supplier.money
    if column.kind == "pence" and mapped.constant is None and (money or mapped.reversed):
        value = _pounds(own) if money == "pounds" else rules.default_value(column, own)
        rule = "money" if money == "pounds" else "pence"
        signed = f"-({value})" if mapped.reversed else value
        return signed, {"pence": (rule, f"{own} IS NOT NULL AND {typed} IS NULL")}
    return rules.default_value(column, own), {}


def _day(text: str, formats: Texts, latest_year: int | None) -> str:
    read = [
        rules.day_value(text) if form in {"iso", "%Y-%m-%d"}
        else f"CAST(TRY_STRPTIME({text}, {sql.text(form)}) AS DATE)"
        for form in formats
    ]  # fmt: skip
    value = f"coalesce({', '.join(read)})"
    if latest_year is None:
        return value
    return (
        f"CASE WHEN year({value}) > {latest_year} "
        f"THEN CAST({value} - INTERVAL 100 YEAR AS DATE) ELSE {value} END"
    )


def _pounds(text: str) -> str:
    """Return SQL that reads an amount in pounds as pence; NULL where it is none.

    A minus before or after, brackets and CR each mean a credit; two of them at once could mean
    either and are refused.
    """
    upper = f"upper({text})"
    digits = f"regexp_replace({upper}, '[^0-9.]', '', 'g')"
    signs = (
        f"CAST(contains({text}, '-') AS INTEGER) + CAST(contains({text}, '(') AS INTEGER) "
        f"+ CAST(contains({upper}, 'CR') AS INTEGER)"
    )
    brackets = f"contains({text}, '(') = contains({text}, ')')"
    minus = f"len({text}) - len(replace({text}, '-', '')) < 2"
    pence = f"CAST(round(CAST({digits} AS DECIMAL(18, 2)) * 100) AS BIGINT)"
    return (
        f"CASE WHEN regexp_full_match({upper}, {sql.text(MONEY)}) AND {signs} < 2 "
        f"AND {brackets} AND {minus} THEN {pence} * CASE WHEN {signs} = 1 THEN -1 ELSE 1 END END"
    )
