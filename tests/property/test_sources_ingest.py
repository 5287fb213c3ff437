"""Whatever is delivered: no crash but a message, and every row is counted once."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earlyflag.core.errors import EarlyflagError
from earlyflag.core.home import Home
from earlyflag.sources import TABLES, ingest, load
from tests.factories import lawful_bases

ACCOUNTS = (
    "account_ref,valid_from,uprn,payment_method,instalments,discount\n"
    "A1,2020-01-01,1,direct_debit,10,none\n"
)

NASTY = st.sampled_from(
    ["", " ", "NULL", ".", "£1,234.56CR", " -£12.00", "01/04/19", "dd.mm.yyyy", "29/02/2019",
     "3.00012E+08", "2024-01-01", "2024-02-30", "A1", "A1 ", "1", "-1", "1e3", "99999999999999999",
     "true", "payment", "charge", "rent", "N16 5Z", "N16 5ZZ", "COOKE,MS NADY", 'the "Red" Lion',
     "two\nlines", "two\r\nlines", "\ufeff", "é", "\u2028", "#N/A", "'; DROP TABLE staged; --"]
)  # fmt: skip
CELLS = st.one_of(NASTY, st.text(max_size=12))
NAMES = st.sampled_from(sorted(TABLES))


def check(folder: Path, home: Home, mapping: str | None = None) -> None:
    """Ingest a folder; whatever happens, the counts add up and the tables open."""
    try:
        summary = ingest(folder, home, bases=lawful_bases(), mapping=mapping, reject_share_limit=1)
    except EarlyflagError as error:
        summary = getattr(error, "summary", None)
        assert str(error)
    if summary is not None:
        for counts in summary.tables.values():
            assert counts.read == counts.accepted + counts.rejected + counts.duplicates
            assert counts.rejected == sum(counts.rules.values())
    if (home.tables / "current.json").exists():
        load(home.tables).register(duckdb.connect())


def fresh(stack: str) -> tuple[Path, Home]:
    root = Path(stack)
    (root / "extracts").mkdir()
    (root / "extracts" / "council_tax_accounts.csv").write_text(ACCOUNTS)
    return root / "extracts", Home(root / "home").open()


MANY = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@MANY
@given(
    name=NAMES,
    content=st.binary(max_size=400),
    suffix=st.sampled_from([".csv", ".csv.gz", ".parquet"]),
)
def test_arbitrary_bytes_are_counted_or_refused_with_a_message(name, content, suffix):
    with tempfile.TemporaryDirectory() as stack:
        folder, home = fresh(stack)
        (folder / f"{name}-x{suffix}").write_bytes(content)
        check(folder, home)


@MANY
@given(
    name=NAMES,
    content=st.lists(st.one_of(st.binary(max_size=30), NASTY.map(str.encode)), max_size=12),
    glue=st.sampled_from([b",", b"\n", b"\r\n", b"\r", b'"', b",,\n"]),
    packed=st.booleans(),
)
def test_arbitrary_lines_below_a_good_header_are_counted(name, content, glue, packed):
    header = ",".join(TABLES[name].column_names).encode()
    data = header + b"\n" + glue.join(content)
    with tempfile.TemporaryDirectory() as stack:
        folder, home = fresh(stack)
        path = folder / f"{name}-x.csv{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(data) if packed else data)
        check(folder, home)


@MANY
@given(
    name=NAMES,
    rows=st.lists(st.lists(CELLS, min_size=18, max_size=18), max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from([",", ";", "|", "\t"]),
)
def test_arbitrary_tables_are_counted_row_by_row(name, rows, encoding, ending, delimiter):
    names = TABLES[name].column_names
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ending, delimiter=delimiter)
    writer.writerow(names)
    writer.writerows(row[: len(names)] for row in rows)
    with tempfile.TemporaryDirectory() as stack:
        folder, home = fresh(stack)
        content = text.getvalue().encode(encoding, errors="replace")
        (folder / f"{name}-x.csv").write_bytes(content)
        check(folder, home)


@MANY
@given(rows=st.lists(st.tuples(NASTY, NASTY, NASTY, NASTY, NASTY), max_size=10))
def test_the_same_delivery_twice_changes_nothing(rows):
    names = TABLES["rent_transactions"].column_names
    with tempfile.TemporaryDirectory() as stack:
        folder, home = fresh(stack)
        with (folder / "rent_transactions.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(names)
            writer.writerow(["R0", "T1", "2024-01-01", "", "rent", "1"])
            writer.writerows([f"R{n}", *row] for n, row in enumerate(rows, start=1))
        first = ingest(folder, home, bases=lawful_bases(), reject_share_limit=1)
        again = ingest(folder, home, bases=lawful_bases(), reject_share_limit=1)

        assert again.accepted == 0
        assert not again.changed
        assert again.content_hash == first.content_hash
        assert again.rejected == first.rejected


SHAPES = {
    "rent-export": {
        "rent.accounts20240401": "AccountReference,TenureTypeCode,TenancyStartDate,TenancyEndDate",
        "rent.transactions20240401": "AccountReference,TransactionID,TransactionDate,"
        "TransactionPostDate,TransactionCode,TransactionAmount",
        "rent.actions20240401": "AccountReference,ActionCode,ActionDate,ActionSeq",
        "tenancy_uprn": "AccountReference,UPRN",
    },
    "academy-council-tax": {
        "ctaccount": "account_ref,account_cd,lead_liab_name,lead_liab_forename,lead_liab_surname,"
        "paymeth_code",
        "ctproperty": "property_ref,addr1,addr2,postcode",
        "ctoccupation": "account_ref,property_ref,vacation_date",
        "ctnotice": "account_ref,bill_no,notice_type,notice_from,notice_issued,amt_benefit,"
        "amt_costs,amt_debit,notice_balance,live_ind",
        "cttransaction": "account_ref,process_date,tran_amount,tran_code",
        "cttrancode": "tran_code,tran_desc",
        "property_uprn": "property_ref,uprn",
    },
}
VENDOR_CELLS = st.one_of(NASTY, st.sampled_from(["DBR", "NOSP", "SEC", "R1", "DDMON", "10", "{x}"]))


@MANY
@given(data=st.data(), mapping=st.sampled_from(sorted(SHAPES)))
def test_arbitrary_vendor_files_are_counted_or_refused_with_a_message(data, mapping):
    with tempfile.TemporaryDirectory() as stack:
        folder, home = fresh(stack)
        for name, header in SHAPES[mapping].items():
            columns = header.split(",")
            if data.draw(st.integers(0, 9)) == 0:
                columns[0] = "{renamed}"
            row = st.lists(VENDOR_CELLS, min_size=len(columns), max_size=len(columns))
            with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
                csv.writer(stream).writerows([columns, *data.draw(st.lists(row, max_size=4))])
        check(folder, home, mapping)
