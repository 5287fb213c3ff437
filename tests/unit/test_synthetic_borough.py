"""The synthetic borough keeps the contract, the law's waiting times and its promises."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest

from earlyflag.core.errors import Misused, StepMissing
from earlyflag.core.home import Home
from earlyflag.sources import TABLES, ingest
from earlyflag.synthetic import check, write_borough
from earlyflag.synthetic.borough import simulate
from earlyflag.synthetic.risk import outlook

LAST_CUT_OFF = date(2026, 10, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("borough")
    write_borough(out, households=1200, months=36, seed=5)
    return out


@pytest.fixture(scope="module")
def con(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for name in TABLES:
            connection.execute(f"CREATE VIEW {name} AS FROM '{folder / name}.parquet'")
        for file in (folder / "truth").glob("*.parquet"):
            connection.execute(f"CREATE VIEW true_{file.stem} AS FROM '{file}'")
        yield connection


def count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])


def test_every_contract_table_is_written_with_its_declared_columns(con):
    for name, table in TABLES.items():
        columns = [row[0] for row in con.execute(f"DESCRIBE {name}").fetchall()]
        assert columns == list(table.column_names), name
        assert count(con, f"SELECT count(*) FROM {name}") > 0, name


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_ingestion_accepts_every_row_of_a_borough(tmp_path, file_format):
    summary = write_borough(
        tmp_path / "out", households=300, months=14, seed=3, file_format=file_format
    )
    home = Home(tmp_path / "home").open()
    taken = ingest(
        tmp_path / "out", home, bases={}, lawful_basis="a test", delivered_on=LAST_CUT_OFF
    )
    assert {name: table.accepted for name, table in taken.tables.items()} == summary.rows
    assert sum(table.rejected + table.duplicates for table in taken.tables.values()) == 0


def test_nothing_is_known_on_or_after_the_last_cut_off(con):
    for name, table in TABLES.items():
        dates = [c.name for c in table.columns if c.kind == "date" and "known_on" in c.name]
        for column in dates:
            query = f"SELECT count(*) FROM {name} WHERE {column} >= DATE '{LAST_CUT_OFF}'"
            assert count(con, query) == 0, (name, column)


def test_the_same_seed_writes_the_same_borough_and_another_seed_another(tmp_path):
    def written(seed: int, name: str) -> dict[str, str]:
        write_borough(tmp_path / name, households=200, months=6, seed=seed)
        return {
            str(file.relative_to(tmp_path / name)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted((tmp_path / name).rglob("*.parquet"))
        }

    first = written(1, "a")
    assert written(1, "b") == first
    assert written(2, "c") != first


def test_a_reminder_waits_seven_days_and_a_summons_and_a_hearing_fourteen(con):
    ladder = """
        SELECT stage, happened_on,
               lag(happened_on) OVER w AS before, lag(stage) OVER w AS stage_before,
               (SELECT max(t.happened_on) FROM council_tax_transactions t
                WHERE t.account_ref = r.account_ref AND t.kind = 'charge'
                AND t.happened_on <= r.happened_on) AS due
        FROM council_tax_recovery r
        WINDOW w AS (PARTITION BY account_ref ORDER BY happened_on)
    """
    warned = "stage IN ('reminder', 'second_reminder', 'final_notice')"
    for step, wait in (
        (f"{warned} AND happened_on - due < 7", "reminder"),
        ("stage = 'summons' AND happened_on - before < 14", "summons"),
        ("stage = 'liability_order' AND happened_on - before < 14", "order"),
    ):
        assert count(con, f"SELECT count(*) FROM ({ladder}) WHERE {step}") == 0, wait
    preceded = "stage = 'liability_order' AND stage_before <> 'summons'"
    assert count(con, f"SELECT count(*) FROM ({ladder}) WHERE {preceded}") == 0
    assert count(con, "SELECT count(*) FROM council_tax_recovery WHERE stage = 'summons'") > 10


def test_section_21_notices_end_on_the_first_of_may_2026(con):
    late = "kind = 'section_21_notice' AND happened_on >= DATE '2026-05-01'"
    assert count(con, f"SELECT count(*) FROM tenancy_events WHERE {late}") == 0
    new = "tenancy_type = 'assured_shorthold' AND known_on >= DATE '2026-05-01'"
    assert count(con, f"SELECT count(*) FROM tenancies WHERE {new}") == 0


def test_spells_of_one_reference_do_not_overlap(con):
    for table, key in (("council_tax_accounts", "account_ref"), ("tenancies", "tenancy_ref")):
        overlapping = f"""
            SELECT count(*) FROM (
                SELECT valid_to, lead(valid_from) OVER (
                    PARTITION BY {key} ORDER BY valid_from) AS following FROM {table})
            WHERE following IS NOT NULL AND (valid_to IS NULL OR valid_to >= following)"""
        assert count(con, overlapping) == 0, table


def test_each_person_reference_belongs_to_one_true_person(con):
    assert count(con, "SELECT count(*) - count(DISTINCT person_ref) FROM true_people") == 0
    for table in ("council_tax_people", "tenancy_people", "homelessness_cases"):
        unknown = f"SELECT count(*) FROM {table} ANTI JOIN true_people USING (person_ref)"
        assert count(con, unknown) == 0, table
    differing = """
        SELECT count(DISTINCT true_person_id) FROM (
            SELECT true_person_id FROM true_people
            JOIN (SELECT person_ref, surname FROM council_tax_people
                  UNION SELECT person_ref, surname FROM tenancy_people) USING (person_ref)
            GROUP BY true_person_id HAVING count(DISTINCT lower(surname)) > 1)"""
    assert count(con, differing) > 5


def test_one_person_lives_in_one_household_at_a_time(con):
    overlapping = """
        SELECT count(*) FROM (
            SELECT valid_to, lead(valid_from) OVER (
                PARTITION BY true_person_id ORDER BY valid_from) AS following FROM true_membership)
        WHERE following IS NOT NULL AND (valid_to IS NULL OR valid_to > following)"""
    assert count(con, overlapping) == 0


def test_every_charge_of_a_living_account_is_a_due_instalment_known_before_it_falls_due(con):
    assert (
        count(
            con,
            """
        SELECT count(*) FROM council_tax_transactions
        WHERE kind = 'charge' AND (day(happened_on) <> 1 OR amount_pence <= 0)""",
        )
        == 0
    )


def test_no_chance_depends_on_ethnic_group_sex_or_disability():
    world, _ = simulate(300, 4, seed=8)
    rows = world.active()
    before = outlook(world, rows, 4)
    for columns, names in (
        (world.people, ("ethnic", "male", "disabled", "community")),
        (world.households, ("ethnic", "community")),
    ):
        for name in names:
            columns[name][:] = columns[name][::-1].copy()
    after = outlook(world, rows, 4)
    for name in ("matrix", "duty", "shock", "child", "leave"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_a_borough_too_small_to_be_one_is_refused(tmp_path):
    with pytest.raises(Misused, match="at least 100 households"):
        write_borough(tmp_path, households=10, months=12, seed=1)


def test_progress_is_told_once_a_month_and_once_for_writing(tmp_path):
    steps: list[int] = []
    write_borough(tmp_path, households=150, months=5, seed=1, advance=steps.append)
    assert steps == [1] * 6


def test_published_figures_stand_beside_generated_ones(folder):
    rows = check(folder)
    tenure = {row.figure: row.generated for row in rows if row.topic == "tenure"}
    assert tenure["private"] == pytest.approx(0.43, abs=0.06)
    by_topic: dict[str, float] = {}
    for row in rows:
        by_topic[row.topic] = by_topic.get(row.topic, 0.0) + row.generated
    for topic in ("tenure", "reason", "accommodation", "household type", "age of applicant"):
        assert by_topic[topic] == pytest.approx(1.0, abs=0.03), topic


def test_checking_a_folder_without_a_borough_says_what_to_do(tmp_path):
    with pytest.raises(StepMissing, match="earlyflag synth"):
        check(tmp_path)
