"""The documents that grow from the declarations, or must keep up with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from earlyflag.sources import TABLES
from earlyflag.sources.declare import SQL_TYPES
from earlyflag.sources.dictionary import dictionary
from earlyflag.sources.mapping import ColumnMapping, FeedMapping, InputMapping, Join, Mapping, Take
from earlyflag.sources.rules import RULES, refusals

DOCS = Path(__file__).parents[2] / "docs"


def test_the_data_dictionary_is_as_the_declarations_write_it():
    written = (DOCS / "reference" / "data-dictionary.md").read_text(encoding="utf-8")

    assert written == dictionary(), "renew: python -m earlyflag.sources.dictionary"


@pytest.mark.parametrize("model", [Mapping, InputMapping, FeedMapping, Join, Take, ColumnMapping])
def test_every_option_of_a_mapping_is_in_its_how_to(model):
    text = (DOCS / "how-to" / "write-a-mapping.md").read_text(encoding="utf-8")
    names = {field.alias or name for name, field in model.model_fields.items()} - {"description"}

    assert {name for name in names if not re.search(rf"\b{name}\b", text)} == set()


def test_every_rule_that_can_reject_a_row_is_explained():
    used = {
        rule
        for table in TABLES.values()
        for column in table.columns
        for rule, _ in refusals(column, "t", "v")
    }

    assert used <= set(RULES)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_declaration_is_whole(table):
    names = set(table.column_names)

    assert len(names) == len(table.columns)
    assert set(table.key) <= names
    assert not any(table.column(name).nullable for name in table.key)
    assert table.spell == ({"valid_from", "valid_to", "valid_to_known_on"} <= names)
    assert table.dated_by is None or table.dated_by in names
    assert all(column.kind in SQL_TYPES and column.meaning for column in table.columns)
    assert all(column.known_by in {None, *names} for column in table.columns)
    assert all(bool(column.codes) >= (column.kind == "code") for column in table.columns)


def test_columns_that_come_from_benefit_systems_are_tagged():
    tagged = {
        f"{table.name}.{column.name}"
        for table in TABLES.values()
        for column in table.columns
        if column.from_benefits
    }

    assert tagged == {
        "benefits.kind", "benefits.weekly_pence", "benefits.shortfall_weekly_pence",
        "benefits.capped",
    }  # fmt: skip


def test_ledger_rows_that_come_from_benefit_systems_are_tagged_by_their_code():
    tagged = {
        f"{table.name}.{column.name}": column.benefit_codes
        for table in TABLES.values()
        for column in table.columns
        if column.benefit_codes
    }

    assert tagged == {
        "council_tax_transactions.kind": ("reduction",),
        "rent_transactions.kind": ("housing_benefit", "universal_credit", "dwp_deduction",
                                   "discretionary_housing_payment"),
    }  # fmt: skip
    for name, codes in tagged.items():
        table, _, column = name.partition(".")
        assert set(codes) <= set(TABLES[table].column(column).codes)
        assert f"**B** for all of a row with `{codes[0]}`" in dictionary()
