"""The engine: what it refuses, what it leaves missing, and what it need not compute again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from earlyflag import features
from earlyflag.core.errors import StepMissing, UndeclaredFeature
from earlyflag.features.backends import DuckDBBackend
from earlyflag.features.catalogue import PAGES, as_json, as_markdown
from earlyflag.features.declare import GATEWAYS, Family, Feature
from earlyflag.features.engine import _columns_read
from earlyflag.features.families import FAMILIES
from earlyflag.features.guard import check_family
from earlyflag.features.ledgers import LEDGERS
from earlyflag.features.monthly import columns
from earlyflag.features.relations import relations
from earlyflag.sources.schema import TABLES
from tests import factories
from tests.feature_cases import AS_OF, HandmadeTables, compute, read_cases, village

OFFERED = {*relations(1), *LEDGERS} - {"known_cases"}
JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)


def family(sql: str, *reads: str, name: str = "planted") -> Family:
    feature = Feature(
        name, "Planted", "Planted {value:number}", "count", None,
        ("council_tax_transactions",), "council_tax_arrears", "council_tax",
    )  # fmt: skip
    return Family("planted", "Planted", sql, reads, (feature,))


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        (
            "SELECT household_id, count(*) AS planted FROM homes_at "
            "JOIN council_tax_transactions USING (account_ref) GROUP BY household_id",
            ("homes_at", "council_tax_transactions"),
        ),
        (
            "SELECT household_id, 1 AS planted FROM homes_at WHERE EXISTS "
            "(SELECT 1 FROM main.homelessness_cases)",
            ("homes_at",),
        ),
        (
            "SELECT household_id, 1 AS planted FROM homes_at, "
            "read_parquet('tables/data/outcomes.parquet')",
            ("homes_at",),
        ),
        (
            "WITH visible_benefits AS (SELECT * FROM benefits) "
            "SELECT household_id, 1 AS planted FROM visible_benefits",
            ("visible_benefits",),
        ),
        ("SELECT household_id, days_ago AS planted FROM known_cases", ("known_cases",)),
        (
            "SELECT household_id, count(*) AS planted FROM household_homes GROUP BY household_id",
            ("household_homes",),
        ),
        (
            "WITH benefits AS (SELECT * FROM benefits) "
            "SELECT household_id, (SELECT count(*) FROM benefits) AS planted FROM spine_at",
            ("spine_at",),
        ),
        (
            "WITH a AS (WITH benefits AS (SELECT 1 AS x) SELECT x FROM benefits) "
            "SELECT household_id, (SELECT count(*) FROM benefits) AS planted FROM spine_at",
            ("spine_at",),
        ),
    ],
    ids=[
        "table",
        "subquery",
        "file",
        "hidden by a step",
        "unlinked cases",
        "linkage",
        "a step named as the table that it reads",
        "a name that a step within a step has",
    ],
)
def test_a_feature_that_reads_rows_the_engine_did_not_filter_is_refused(sql, reads):
    with pytest.raises(UndeclaredFeature):
        check_family(family(sql, *reads), OFFERED)


@pytest.mark.parametrize(
    ("sql", "reads", "part"),
    [
        ("SELECT household_id, today() AS planted FROM spine_at", ("spine_at",), "clock"),
        ("SELECT household_id, current_date AS planted FROM spine_at", ("spine_at",), "clock"),
        ("SELECT household_id, random() AS planted FROM spine_at", ("spine_at",), "clock"),
        ("SELECT household_id, epoch(now()) AS planted FROM spine_at", ("spine_at",), "clock"),
        ("SELECT household_id, localtimestamp AS planted FROM spine_at", ("spine_at",), "clock"),
        ("SELECT household_id, uuid() AS planted FROM spine_at", ("spine_at",), "chance"),
        (
            "SELECT household_id, 1 AS planted FROM spine_at USING SAMPLE 9%",
            ("spine_at",),
            "chance",
        ),
        ("SELECT household_id, getenv('X') AS planted FROM spine_at", ("spine_at",), "unknown"),
        ("SELECT household_id, 1 AS planted, 2 AS extra FROM spine_at", ("spine_at",), "extra"),
        ("SELECT household_id FROM spine_at", ("spine_at",), "planted"),
        ("SELECT household_id, 1 AS planted FROM spine_at", ("homes_at",), "declares"),
        ("INSERT INTO spine_at VALUES (1)", ("spine_at",), "SELECT"),
    ],
)
def test_a_feature_that_breaks_another_rule_is_refused(sql, reads, part):
    with pytest.raises(UndeclaredFeature, match=part):
        check_family(family(sql, *reads), OFFERED)


def test_a_planted_family_is_refused_before_anything_is_computed(tmp_path):
    planted = family("SELECT household_id, 1 AS planted FROM household_members", "spine_at")
    with pytest.raises(UndeclaredFeature):
        features.build(
            HandmadeTables({}), village([])[1], [AS_OF], tmp_path, families=[planted], threads=1
        )
    assert not list(tmp_path.glob("*.parquet"))


def test_every_declared_family_keeps_the_rules():
    for each in FAMILIES:
        check_family(each, OFFERED)


def test_no_relation_offers_what_no_feature_may_tell_apart():
    for relation in relations(1).values():
        for word in ("reason", "accommodation", "ethnic", "disab", "surname", "forename", "sex"):
            assert word not in relation.sql.lower(), relation.name


def test_every_measure_of_a_ledger_is_read_by_a_feature():
    for name, ledger in LEDGERS.items():
        read = set().union(*(_columns_read(each.sql) for each in FAMILIES if name in each.reads))
        declared = {column.name for column in columns(ledger)}
        declared |= {f"days_since_{newest}" for newest in ledger.newest}
        assert declared <= read


def test_declarations_name_tables_groups_and_gateways_that_exist():
    for feature in features.CATALOGUE.values():
        assert set(feature.sources) <= set(TABLES)
        assert feature.group in features.GROUPS
        assert feature.gateway in GATEWAYS
        assert feature.sentence_missing
        assert {rows.table for rows in feature.evidence} <= set(TABLES)
        assert feature.window_months in (None, *range(1, 25))


def test_an_undeclared_placeholder_is_refused():
    with pytest.raises(UndeclaredFeature, match="placeholder"):
        replace(features.CATALOGUE["rent_balance_pence"], sentence="Owes {value:pounds}")


@pytest.mark.parametrize("name", ["features.md", "features.json"])
def test_the_catalogue_pages_are_what_the_declarations_say(name):
    page = (Path(__file__).parents[2] / PAGES / name).read_text("utf-8")
    made = as_markdown() if name.endswith(".md") else json.dumps(as_json(), indent=1) + "\n"
    assert page == made, "write the pages again: python -m earlyflag.features"


def test_features_of_a_table_that_was_never_delivered_are_missing(tmp_path):
    rows, households = village(read_cases())
    delivered = {
        name: rows[name]
        for name in ("council_tax_accounts", "council_tax_transactions", "council_tax_recovery")
    }
    store = features.build(
        factories.tables(tmp_path / "tables", **delivered), households, [AS_OF], tmp_path / "f",
        threads=1,
    )  # fmt: skip
    frame = store.frame([AS_OF])
    assert frame["council_tax_balance_pence"].notna().any()
    assert frame["council_tax_recovery_stage_12m"].notna().any()
    for name, feature in features.CATALOGUE.items():
        if not set(feature.sources) & set(delivered):
            assert frame[name].isna().all(), name


def test_only_cut_offs_whose_inputs_changed_are_computed_again(tmp_path):
    rows, households = village(read_cases())
    built = features.build(HandmadeTables(rows), households, [JULY], tmp_path, threads=1)
    assert built.computed == (JULY,)
    again = features.build(HandmadeTables(rows), households, [JULY], tmp_path, threads=1)
    assert again.computed == ()
    rows["council_tax_transactions"].append(
        {**rows["council_tax_transactions"][0], "transaction_ref": "N", "happened_on": "2026-07-10"}
    )
    newer = features.build(HandmadeTables(rows), households, [JULY, AUGUST], tmp_path, threads=1)
    assert newer.computed == (AUGUST,)
    assert newer.cut_offs == [JULY, AUGUST]
    rows["council_tax_recovery"][0]["stage"] = "summons"
    changed = features.build(HandmadeTables(rows), households, [JULY, AUGUST], tmp_path, threads=1)
    assert changed.computed == (JULY, AUGUST)
    assert changed.content_hash == features.open_store(tmp_path).content_hash


def test_cut_offs_computed_at_the_same_time_are_the_same_numbers(tmp_path):
    rows, households = village(read_cases())
    days = [date(2026, month, day) for month in (2, 3, 4, 5, 6, 7) for day in (1, 15)]
    one, four = (
        features.build(HandmadeTables(rows), households, days, tmp_path / str(n), threads=n)
        for n in (1, 4)
    )
    assert one.frame(days).equals(four.frame(days))
    assert four.cut_offs == days and sorted(four.computed) == days


@pytest.mark.parametrize("threads", [1, 3])
def test_a_run_that_ends_half_way_leaves_whole_files_and_is_taken_up_again(tmp_path, threads):
    rows, households = village(read_cases()[:5])
    days = [date(2026, month, 1) for month in range(1, 8)]
    whole = features.build(HandmadeTables(rows), households, days, tmp_path / "whole", threads=1)
    features.build(HandmadeTables({}), households, days, tmp_path / "cut", threads=1)
    counted = iter([None, None])

    def interrupted(_: int) -> None:
        if next(counted, "over") == "over":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        features.build(
            HandmadeTables(rows), households, days, tmp_path / "cut", threads=threads,
            advance=interrupted,
        )  # fmt: skip
    store = features.open_store(tmp_path / "cut")
    kept = store.cut_offs
    assert len(kept) == 3
    assert store.frame(kept).equals(whole.frame(kept))
    with pytest.raises(StepMissing):
        store.frame(days)  # the files of the others are of the tables as they were before
    assert not list((tmp_path / "cut").glob(".*.draft"))
    again = features.build(HandmadeTables(rows), households, days, store.folder, threads=threads)
    assert set(again.computed) == set(days) - set(kept)
    assert again.frame(days).equals(whole.frame(days))


def test_an_error_at_one_cut_off_ends_the_run_and_the_next_run_computes_what_lacks(
    tmp_path, monkeypatch
):
    rows, households = village(read_cases()[:5])
    days = [date(2026, month, 1) for month in range(1, 8)]
    write = DuckDBBackend.write

    def failing(self, select: str, path: Path) -> None:
        if "2026-03-01" in path.name:
            raise OSError("no space left")
        write(self, select, path)

    with monkeypatch.context() as patch:
        patch.setattr(DuckDBBackend, "write", failing)
        with pytest.raises(OSError, match="no space left"):
            features.build(HandmadeTables(rows), households, days, tmp_path / "f", threads=3)
    assert date(2026, 3, 1) not in features.open_store(tmp_path / "f").cut_offs
    again = features.build(HandmadeTables(rows), households, days, tmp_path / "f", threads=3)
    assert date(2026, 3, 1) in again.computed
    assert again.cut_offs == days
    whole = features.build(HandmadeTables(rows), households, days, tmp_path / "whole", threads=1)
    assert again.frame(days).equals(whole.frame(days))


def test_a_change_of_what_no_feature_reads_computes_nothing_again(tmp_path):
    rows, households = village(read_cases())
    features.build(HandmadeTables(rows), households, [JULY], tmp_path, threads=1)
    rows["council_tax_people"][0]["surname"] = "Otherwise"
    rows["council_tax_transactions"][0]["transaction_ref"] = "Z9"
    rows["homelessness_cases"][0]["reason"] = "other"
    again = features.build(HandmadeTables(rows), households, [JULY], tmp_path, threads=1)
    assert again.computed == ()


def test_chosen_columns_are_the_same_numbers(tmp_path):
    cases = read_cases()
    whole = compute(cases, tmp_path / "all")
    rows, households = village(cases)
    chosen = ["rent_arrears_weeks", "council_tax_recovery_stage_lag3"]
    store = features.build(
        HandmadeTables(rows), households, [AS_OF], tmp_path / "some", columns=chosen, threads=1
    )
    assert store.columns == sorted(chosen)
    some = store.frame([AS_OF], chosen).set_index("household_id").loc[whole.index]
    assert some[chosen].equals(whole[chosen])


def test_asking_for_what_is_not_there_says_what_to_do(tmp_path):
    with pytest.raises(StepMissing, match="earlyflag features"):
        features.open_store(tmp_path)
    rows, households = village(read_cases()[:1])
    with pytest.raises(UndeclaredFeature, match="no family declares"):
        features.build(
            HandmadeTables(rows), households, [AS_OF], tmp_path, columns=["luck"], threads=1
        )
    store = features.build(
        HandmadeTables(rows), households, [AS_OF], tmp_path, columns=["approaches_24m"], threads=1
    )
    with pytest.raises(StepMissing, match="2026-08-01"):
        store.frame([AUGUST])
    with pytest.raises(UndeclaredFeature, match="rent_balance_pence"):
        store.frame([AS_OF], ["rent_balance_pence"])


def test_a_spine_names_each_household_once_a_cut_off():
    import duckdb

    _, households = village(read_cases()[:3])
    with duckdb.connect() as con:
        households.register(con)
        found = features.spine(con, [AUGUST, JULY, JULY]).fetchall()
    assert found == [(f"H{n}", day) for day in (JULY, AUGUST) for n in range(3)]
