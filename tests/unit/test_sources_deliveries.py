"""Deliveries over time: the same again, corrections, completions, late ones, refusals."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from earlyflag.core.clock import FixedClock
from earlyflag.core.errors import (
    Conflict,
    ExtractRejected,
    LawfulBasisMissing,
    Misused,
    StepMissing,
)
from earlyflag.core.home import Home
from earlyflag.sources import ingest, load
from tests.factories import frames, lawful_bases, write_extracts

OCTOBER, NOVEMBER, DECEMBER = date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1)
ACCOUNTS = [{"account_ref": "A1"}]


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home").open()


def deliver(home: Home, tmp_path: Path, on: date | None, folder: str | None = None, **rows):
    name = folder or f"delivery {len(list(tmp_path.iterdir()))}"
    write_extracts(tmp_path / name, council_tax_accounts=ACCOUNTS, **rows)
    return ingest(tmp_path / name, home, bases=lawful_bases(), delivered_on=on)


def visible(home: Home, table: str, as_of: date, columns: str = "*") -> list[tuple]:
    con = duckdb.connect()
    load(home.tables).register(con)
    return con.execute(
        f"SELECT {columns} FROM {table} WHERE known_on < ? "
        "AND (superseded_on IS NULL OR superseded_on >= ?) ORDER BY ALL", [as_of, as_of]
    ).fetchall()  # fmt: skip


def payment(amount: int, **more):
    return {"transaction_ref": "R1", "kind": "payment", "amount_pence": amount,
            "happened_on": date(2025, 9, 1), **more}  # fmt: skip


def test_the_same_delivery_twice_changes_nothing_and_reads_as_duplicates(home, tmp_path):
    first = deliver(home, tmp_path, OCTOBER, "a", rent_transactions=[payment(-100)])
    pointer = (home.tables / "current.json").read_bytes()
    again = deliver(home, tmp_path, NOVEMBER, "a", rent_transactions=[payment(-100)])

    assert (first.accepted, first.changed) == (2, True)
    assert (again.accepted, again.duplicates, again.changed) == (0, 2, False)
    assert again.content_hash == first.content_hash
    assert (home.tables / "current.json").read_bytes() == pointer


def test_rows_repeated_in_another_file_are_duplicates_and_new_ones_are_added(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, rent_transactions=[payment(-100)])
    second = deliver(
        home, tmp_path, NOVEMBER,
        rent_transactions=[payment(-100), payment(-200, transaction_ref="R2")],
    )  # fmt: skip
    counts = second.tables["rent_transactions"]

    assert (counts.read, counts.accepted, counts.duplicates, counts.superseded) == (2, 1, 1, 0)


def test_a_corrected_row_supersedes_and_the_old_one_stays_as_it_was_known(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, rent_transactions=[payment(-100)])
    second = deliver(home, tmp_path, NOVEMBER, rent_transactions=[payment(-999)])

    assert second.tables["rent_transactions"].superseded == 1
    assert visible(home, "rent_transactions", NOVEMBER, "amount_pence") == [(-100,)]
    assert visible(home, "rent_transactions", date(2025, 11, 2), "amount_pence") == [(-999,)]


def test_a_correction_that_says_when_it_was_known_counts_from_that_day(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, rent_transactions=[payment(-100)])
    corrected = payment(-999, known_on=date(2025, 9, 20))
    deliver(home, tmp_path, NOVEMBER, rent_transactions=[corrected])

    assert visible(home, "rent_transactions", date(2025, 9, 20), "amount_pence") == [(-100,)]
    assert visible(home, "rent_transactions", date(2025, 9, 21), "amount_pence") == [(-999,)]


def test_a_correction_delivered_again_is_not_a_new_correction(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, rent_transactions=[payment(-100)])
    deliver(home, tmp_path, NOVEMBER, rent_transactions=[payment(-999)])
    more = [payment(-999), payment(-5, transaction_ref="R2")]
    third = deliver(home, tmp_path, DECEMBER, rent_transactions=more)

    assert (third.accepted, third.superseded) == (1, 0)


def test_an_older_delivery_after_a_newer_one_does_not_overwrite_it(home, tmp_path):
    deliver(home, tmp_path, NOVEMBER, rent_transactions=[payment(-999)])
    late = deliver(home, tmp_path, OCTOBER, rent_transactions=[payment(-100)])
    counts = late.tables["rent_transactions"]

    assert (counts.accepted, counts.superseded, counts.late) == (1, 0, 1)
    assert visible(home, "rent_transactions", DECEMBER, "amount_pence") == [(-999,)]


def test_the_order_in_which_deliveries_arrive_does_not_matter(tmp_path):
    found = []
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        home = Home(tmp_path / f"home{order}").open()
        for turn in order:
            deliver(home, tmp_path, [OCTOBER, NOVEMBER, DECEMBER][turn], f"{order} {turn}",
                    rent_transactions=[payment(-100 - turn)])  # fmt: skip
        found.append(load(home.tables).content_hash)

    assert len(set(found)) == 1


def test_last_months_file_again_after_this_months_changes_nothing(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, "october", rent_transactions=[payment(-100)])
    this = deliver(home, tmp_path, NOVEMBER, "november", rent_transactions=[payment(-999)])
    again = ingest(tmp_path / "october", home, bases=lawful_bases())

    assert not again.changed
    assert again.content_hash == this.content_hash


def test_an_undated_old_row_does_not_come_back_in_another_file(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, "october", rent_transactions=[payment(-100)])
    this = deliver(home, tmp_path, NOVEMBER, "november", rent_transactions=[payment(-999)])
    again = deliver(home, tmp_path, None, "other", rent_transactions=[payment(-100)])

    assert again.delivered_by == "day of ingestion"
    assert again.content_hash == this.content_hash


def test_the_end_of_a_spell_completes_its_row_and_counts_from_its_own_date(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, tenancies=[{"tenancy_ref": "T1"}])
    end = {"valid_to": date(2025, 9, 1), "valid_to_known_on": date(2025, 9, 5),
           "end_reason": "moved"}  # fmt: skip
    second = deliver(home, tmp_path, NOVEMBER, tenancies=[{"tenancy_ref": "T1", **end}])

    assert second.tables["tenancies"].superseded == 1
    assert visible(home, "tenancies", date(2025, 9, 6), "valid_to, end_reason") == [
        (date(2025, 9, 1), "moved")
    ]


def test_a_duty_completes_its_case(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, homelessness_cases=[{"outcome": "open"}])
    duty = {"duty": "relief", "duty_on": date(2024, 2, 1), "outcome": "open"}
    deliver(home, tmp_path, NOVEMBER, homelessness_cases=[duty])

    assert visible(home, "homelessness_cases", date(2024, 3, 1), "duty, duty_known_on") == [
        ("relief", date(2024, 2, 1))
    ]


def test_how_deliveries_are_split_changes_no_content(tmp_path):
    rows = [payment(-n, transaction_ref=f"R{n}") for n in range(1, 7)]
    whole, split = Home(tmp_path / "whole").open(), Home(tmp_path / "split").open()
    deliver(whole, tmp_path, OCTOBER, "all", rent_transactions=rows)
    deliver(split, tmp_path, OCTOBER, "one", rent_transactions=rows[3:])
    deliver(split, tmp_path, OCTOBER, "two", rent_transactions=rows[:4])

    assert load(whole.tables).content_hash == load(split.tables).content_hash


def test_a_table_without_dates_shows_its_newest_version(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, properties=[{"address": "1 Old Street"}])
    deliver(home, tmp_path, NOVEMBER, properties=[{"address": "1 New Street"}])
    con = duckdb.connect()
    load(home.tables).register(con)

    assert con.execute("SELECT address FROM properties").fetchall() == [("1 New Street",)]


def test_the_same_payment_under_two_tenancies_is_rejected_for_both(home, tmp_path):
    write_extracts(tmp_path / "x", council_tax_accounts=ACCOUNTS, rent_transactions=[
        payment(-1), payment(-1, tenancy_ref="T2"), payment(-1, tenancy_ref="T2")])  # fmt: skip
    summary = ingest(tmp_path / "x", home, bases=lawful_bases(), reject_share_limit=1)
    counts = summary.tables["rent_transactions"]

    assert (counts.read, counts.accepted, counts.rejected, counts.duplicates) == (3, 0, 2, 1)
    assert dict(counts.rules) == {"transaction_ref:same_key_differs": 2}


def test_too_many_rejects_load_nothing_of_any_table(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, rent_transactions=[payment(-100)])
    before = (home.tables / "current.json").read_bytes()
    rows = [payment(-100, kind="gift"), payment(-1, transaction_ref="R2")]

    with pytest.raises(ExtractRejected, match="1 of 2 rows") as refused:
        deliver(home, tmp_path, NOVEMBER, rent_transactions=rows, tenancies=[{}])

    assert refused.value.summary.tables["tenancies"].accepted == 1
    assert (home.tables / "current.json").read_bytes() == before
    kept = {
        name for table in ("rent", "council") for name in (home.tables / "data").glob(f"{table}*")
    }
    assert set((home.tables / "data").iterdir()) == kept


def test_a_missing_required_column_is_refused_by_name(home, tmp_path):
    deliver(home, tmp_path, OCTOBER, "x", rent_transactions=[payment(-100)])
    frame = frames(rent_transactions=[payment(-100)])["rent_transactions"]
    frame.drop(columns=["amount_pence"]).to_csv(
        tmp_path / "x" / "rent_transactions.csv", index=False
    )

    with pytest.raises(ExtractRejected, match="amount_pence") as refused:
        ingest(tmp_path / "x", home, bases=lawful_bases())

    assert refused.value.exit_code == 10


def test_a_first_delivery_without_council_tax_accounts_is_refused(home, tmp_path):
    write_extracts(tmp_path / "x", rent_transactions=[payment(-100)])

    with pytest.raises(ExtractRejected, match="council_tax_accounts is missing"):
        ingest(tmp_path / "x", home, bases=lawful_bases())


def test_a_table_without_lawful_basis_is_refused_and_the_key_is_named(home, tmp_path):
    write_extracts(tmp_path / "x", council_tax_accounts=ACCOUNTS, benefits=[{}])
    bases = {**lawful_bases()}
    del bases["benefits"]

    with pytest.raises(LawfulBasisMissing, match=r"\[lawful_basis\.benefits\]"):
        ingest(tmp_path / "x", home, bases=bases)

    assert not (home.tables / "current.json").exists()


@pytest.mark.parametrize("as_file", [True, False])
def test_a_lawful_basis_for_one_delivery_is_recorded_with_it(home, tmp_path, as_file):
    write_extracts(tmp_path / "x", council_tax_accounts=ACCOUNTS)
    basis = "Welfare Reform Act 2012 s.131, approved by IG, DPIA-9"
    given = tmp_path / "basis.txt"
    given.write_text(basis)
    ingest(tmp_path / "x", home, bases={}, lawful_basis=str(given) if as_file else basis)

    assert load(home.tables).deliveries[-1]["lawful_bases"] == {"council_tax_accounts": basis}


def test_a_dry_run_reports_and_loads_nothing(home, tmp_path):
    write_extracts(tmp_path / "x", council_tax_accounts=ACCOUNTS)
    summary = ingest(tmp_path / "x", home, bases=lawful_bases(), dry_run=True)

    assert (summary.accepted, summary.changed) == (1, False)
    assert not (home.tables / "current.json").exists()
    assert list((home.tables / "data").iterdir()) == []
    assert (summary.run_folder / "ingest.json").is_file()


def test_the_delivery_is_dated_by_its_file_names_else_by_the_day(home, tmp_path):
    write_extracts(tmp_path / "x", council_tax_accounts=ACCOUNTS)
    clock = FixedClock(datetime(2026, 10, 1, 12, tzinfo=UTC))
    plain = ingest(tmp_path / "x", home, bases=lawful_bases(), clock=clock, dry_run=True)
    (tmp_path / "x" / "council_tax_accounts.csv").rename(
        tmp_path / "x" / "council_tax_accounts-20260930.csv"
    )
    dated = ingest(tmp_path / "x", home, bases=lawful_bases(), clock=clock, dry_run=True)

    assert (plain.delivered_on, plain.delivered_by) == (date(2026, 10, 1), "day of ingestion")
    assert (dated.delivered_on, dated.delivered_by) == (date(2026, 9, 30), "file names")


def test_preflight_warns_of_what_differs_from_the_last_delivery(home, tmp_path):
    many = [payment(-100, transaction_ref=f"R{n}") for n in range(10)]
    deliver(home, tmp_path, OCTOBER, rent_transactions=many)
    other = [payment(10_000, transaction_ref=f"S{n}", kind="rent", known_on=date(2025, 9, 2))
             for n in range(4)]  # fmt: skip
    warnings = " ".join(deliver(home, tmp_path, NOVEMBER, rent_transactions=other).warnings)

    assert "rent_transactions: 4 rows, -60% on the last delivery" in warnings
    assert "rent_transactions.kind: payment is 0.0% of rows, 100.0% in the last" in warnings
    assert "rent_transactions.amount_pence: its highest value lies far outside" in warnings


def test_csv_gzip_and_parquet_give_the_same_tables(tmp_path):
    rows = frames(council_tax_accounts=ACCOUNTS, rent_transactions=[payment(-100)],
                  benefits=[{"capped": True, "valid_to": date(2024, 5, 1)}])  # fmt: skip
    hashes = set()
    for suffix in (".csv", ".csv.gz", ".parquet"):
        folder = tmp_path / suffix
        folder.mkdir()
        for name, frame in rows.items():
            if suffix == ".parquet":
                frame.to_parquet(folder / f"{name}.parquet")
            else:
                content = frame.to_csv(index=False).encode()
                packed = gzip.compress(content) if suffix == ".csv.gz" else content
                (folder / f"{name}{suffix}").write_bytes(packed)
        home = Home(tmp_path / f"home{suffix}").open()
        ingest(folder, home, bases=lawful_bases(), delivered_on=OCTOBER)
        hashes.add(load(home.tables).content_hash)

    assert len(hashes) == 1


def test_split_files_of_a_table_are_read_together(home, tmp_path):
    folder = write_extracts(tmp_path / "x", council_tax_accounts=ACCOUNTS)
    parts = frames(rent_transactions=[payment(-1), payment(-2, transaction_ref="R2")])
    part = parts["rent_transactions"]
    part[:1].to_csv(folder / "rent_transactions-april.csv", index=False)
    part[1:].to_csv(folder / "rent_transactions-may.csv.gz", index=False)

    assert ingest(folder, home, bases=lawful_bases()).tables["rent_transactions"].accepted == 2


def test_a_damaged_parquet_or_gzip_file_is_refused_with_its_name(home, tmp_path):
    folder = write_extracts(tmp_path / "x", council_tax_accounts=ACCOUNTS)
    (folder / "benefits.parquet").write_bytes(b"PAR1 no such thing")
    (folder / "tenancies.csv.gz").write_bytes(b"\x1f\x8b\x08 cut short")

    with pytest.raises(ExtractRejected, match=r"benefits\.parquet.*tenancies\.csv\.gz"):
        ingest(folder, home, bases=lawful_bases())


def test_a_folder_without_extracts_says_what_was_expected(home, tmp_path):
    (tmp_path / "empty").mkdir()

    with pytest.raises(StepMissing, match=r"council_tax_accounts\.csv"):
        ingest(tmp_path / "empty", home, bases=lawful_bases())
    with pytest.raises(Misused, match="cannot be read"):
        ingest(tmp_path / "nowhere", home, bases=lawful_bases())


def test_opening_tables_before_any_delivery_says_what_to_run(home):
    with pytest.raises(StepMissing, match="earlyflag ingest FOLDER"):
        load(home.tables)


def test_two_ingestions_at_once_do_not_mix(home, tmp_path):
    import fcntl

    folder = write_extracts(tmp_path / "x", council_tax_accounts=ACCOUNTS)
    home.tables.mkdir(parents=True)
    with (home.tables / ".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(Conflict, match="Another ingestion"):
            ingest(folder, home, bases=lawful_bases())


def test_line_numbers_are_right_in_a_large_file(home, tmp_path):
    folder = write_extracts(tmp_path / "x", council_tax_accounts=ACCOUNTS)
    count = 300_000
    bad = {7, 123_456, 250_001, count - 1}
    frame = pd.DataFrame({
        "transaction_ref": [f"R{n}" for n in range(count)], "tenancy_ref": "T1",
        "happened_on": "2024-01-01", "kind": "rent",
        "amount_pence": ["x" if n in bad else "1" for n in range(count)],
    })  # fmt: skip
    frame.to_csv(folder / "rent_transactions.csv", index=False)
    summary = ingest(folder, home, bases=lawful_bases())
    with (summary.run_folder / "rejects" / "rent_transactions.csv").open(newline="") as stream:
        found = [(int(row["line"]), row["raw"].split(",")[0]) for row in csv.DictReader(stream)]

    assert found == [(n + 2, f"R{n}") for n in sorted(bad)]
    assert summary.tables["rent_transactions"].accepted == count - len(bad)
