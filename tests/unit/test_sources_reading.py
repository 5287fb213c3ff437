"""Reading files as they come: encodings, line endings, quotes, and the right line of each fault."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from earlyflag.core.errors import ExtractRejected
from earlyflag.core.home import Home
from earlyflag.sources import ingest, load, tables_from_frames
from earlyflag.sources.encodings import examine
from earlyflag.sources.records import split_lines
from tests.factories import frames, lawful_bases, tables, write_extracts

HEADER = "uprn,address,postcode"


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home").open()


def read(home: Home, tmp_path: Path, content: bytes, name: str = "properties.csv"):
    """Ingest a properties file; return addresses by UPRN and the rejected (line, rule) pairs."""
    folder = write_extracts(tmp_path / "x", council_tax_accounts=[{}])
    (folder / name).write_bytes(content)
    summary = ingest(folder, home, bases=lawful_bases(), reject_share_limit=1)
    counts = summary.tables["properties"]
    assert counts.read == counts.accepted + counts.rejected + counts.duplicates
    con = duckdb.connect()
    load(home.tables).register(con)
    found = con.execute("SELECT uprn, address FROM properties ORDER BY uprn").fetchall()
    path = summary.run_folder / "rejects" / "properties.csv"
    rejects = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as stream:
            rejects = [(int(row["line"]), row["rule"]) for row in csv.DictReader(stream)]
    return {int(uprn): address for uprn, address in found}, rejects


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
@pytest.mark.parametrize(("ending", "delimiter"), [("\n", ";"), ("\r\n", "\t"), ("\r", "|")])
def test_any_usual_encoding_line_ending_and_delimiter_is_found_out(
    home, tmp_path, encoding, ending, delimiter
):
    lines = [HEADER, "1,1 Café Mews,N16 5ZZ", "2,2 High Street,N16 5ZZ", "x,3 High Street,N16 5ZZ"]
    text = ending.join(lines).replace(",", delimiter) + ending

    assert read(home, tmp_path, text.encode(encoding)) == (
        {1: "1 Café Mews", 2: "2 High Street"}, [(4, "uprn")]
    )  # fmt: skip


def test_a_quoted_line_break_stays_in_its_value_and_later_lines_are_counted_right(home, tmp_path):
    content = (
        f'{HEADER}\n1,"Flat 1\nThe ""Nook""",N16 5ZZ\n\nx,2 High Street,N16 5ZZ\n3,"a\nb\nc",-\n'
    )

    assert read(home, tmp_path, content.encode()) == (
        {1: 'Flat 1\nThe "Nook"'}, [(5, "uprn"), (6, "postcode")]
    )  # fmt: skip


def test_one_stray_quote_costs_one_line(home, tmp_path):
    lines = [HEADER, '1,"1 High Street,N16 5ZZ', "2,2 High Street,N16 5ZZ",
             '3,"3" High Street,N16 5ZZ', "4,4 High Street,N16 5ZZ"]  # fmt: skip
    content = "\n".join(lines)

    assert read(home, tmp_path, content.encode()) == (
        {2: "2 High Street", 4: "4 High Street"}, [(2, "row_shape"), (4, "row_shape")]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "rule"),
    [(b"2,2 High\0 Street,N16 5ZZ", "encoding"), (b"2,2 High Street", "row_shape"),
     (b"2,2 High Street,N16 5ZZ,more", "row_shape"), (b"2,2,N16 5ZZ,,x", "row_shape"),
     (b"2," + b"x" * 3_000_000 + b",N16 5ZZ", "line_too_long"),
     ("2,2 Café Mews,N16 5ZZ\n8,8 Caf".encode() + b"\xe9 Mews,N16 5ZZ", "encoding")],
)  # fmt: skip
def test_a_line_that_no_reader_can_take_is_rejected_alone(home, tmp_path, line, rule):
    content = HEADER.encode() + b"\n1,1 High Street,N16 5ZZ\n" + line + b"\n3,3 High Street,N16 5ZZ"
    found, rejects = read(home, tmp_path, content)

    assert {1, 3} <= set(found)
    assert [reason for _, reason in rejects] == [rule]
    assert rejects[0][0] == 3 + line.count(b"\n")


@pytest.mark.parametrize("more", ["", "5,5 Caf\xe9,N16 5ZZ\n"])
def test_delimiters_too_many_at_the_end_of_a_line_are_no_fields(home, tmp_path, more):
    content = f"{HEADER},,\n1,1 High Street,N16 5ZZ,,\n2,2 High Street,N16 5ZZ,,,\n{more}"
    found, rejects = read(home, tmp_path, content.encode("cp1252"))

    assert (set(found), len(rejects)) == ({1, 2}, len(more) > 0)


def test_blank_lines_are_no_rows(home, tmp_path):
    content = f"{HEADER}\n\n1,1 High Street,N16 5ZZ\n\n   \n2,2 High Street,N16 5ZZ\n\n"

    assert read(home, tmp_path, content.encode()) == (
        {1: "1 High Street", 2: "2 High Street"}, []
    )  # fmt: skip


def test_a_file_with_a_header_only_delivers_an_empty_table(home, tmp_path):
    assert read(home, tmp_path, HEADER.encode()) == ({}, [])
    assert "properties" in load(home.tables).names


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "no header"), (b"\n\n", "no header"), (b"uprn,uprn,address,postcode\n", "twice"),
     (b"\x00\x01\x02", "no header"), (b"uprn,address\n1,a\n", "postcode")],
)  # fmt: skip
def test_a_header_that_cannot_be_used_refuses_the_delivery(home, tmp_path, content, complaint):
    with pytest.raises(ExtractRejected, match=complaint):
        read(home, tmp_path, content)


def test_a_header_is_met_in_any_case_and_order_with_space_and_columns_to_spare(home, tmp_path):
    content = b'Postcode ,"UPRN", note,ADDRESS\nN16 5ZZ,1,hello,1 High Street\n'

    assert read(home, tmp_path, content) == ({1: "1 High Street"}, [])


def test_file_names_that_look_like_patterns_are_read_as_they_are(home, tmp_path):
    content = f"{HEADER}\n1,1 High Street,N16 5ZZ\n".encode()

    assert read(home, tmp_path, content, "properties-[1]*.csv")[0] == {1: "1 High Street"}


@pytest.mark.parametrize("name", ["h*me", "h?me", "h[o]me", "h'me"])
def test_a_home_is_read_where_it_lies_whatever_its_path_looks_like(tmp_path, name):
    folder = write_extracts(tmp_path / "x", council_tax_accounts=[{}])
    (folder / "properties.csv").write_bytes(f"{HEADER}\n1,Z\xfcrich,N16 5ZZ\n".encode("latin-1"))
    for home in (Home(tmp_path / "home").open(), Home(tmp_path / name).open()):
        ingest(folder, home, bases=lawful_bases())
        assert ingest(folder, home, bases=lawful_bases()).accepted == 0
        con = duckdb.connect()
        load(home.tables).register(con)
        assert con.execute("SELECT address FROM properties").fetchall() == [("Zürich",)]
        assert con.execute("SELECT count(*) FROM council_tax_accounts").fetchall() == [(1,)]


def test_a_stray_quote_in_a_large_gzip_file_is_found_at_its_line(home, tmp_path):
    lines = [f"{n},{n} High Street,N16 5ZZ" for n in range(1, 50_001)]
    lines[40_000] = '40001,"40001 High Street,N16 5ZZ'
    content = gzip.compress("\n".join([HEADER, *lines]).encode())
    found, rejects = read(home, tmp_path, content, "properties.csv.gz")

    assert len(found) == 49_999
    assert rejects == [(40_002, "row_shape")]


def test_parquet_types_read_as_the_contract_writes_them(home, tmp_path):
    folder = write_extracts(tmp_path / "x", council_tax_accounts=[{}])
    pd.DataFrame({
        "claim_ref": ["C1", "C2", "C3"], "kind": "housing_benefit",
        "valid_from": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01 12:30"],
                                     format="mixed"),
        "weekly_pence": [100.0, 200.0, 300.0], "shortfall_weekly_pence": [None, 5.0, 7.5],
        "capped": [True, False, True], "valid_to": [date(2024, 5, 1), None, None],
    }).to_parquet(folder / "benefits.parquet")  # fmt: skip
    summary = ingest(folder, home, bases=lawful_bases(), reject_share_limit=1)
    con = duckdb.connect()
    load(home.tables).register(con)
    kept = con.execute(
        "SELECT claim_ref, valid_from, valid_to, weekly_pence, shortfall_weekly_pence, capped "
        "FROM benefits ORDER BY 1"
    ).fetchall()
    path = summary.run_folder / "rejects" / "benefits.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        (reject,) = list(csv.DictReader(stream))

    assert kept == [("C1", date(2024, 1, 1), date(2024, 5, 1), 100, None, True),
                    ("C2", date(2024, 2, 1), None, 200, 5, False)]  # fmt: skip
    assert (reject["line"], reject["column"], reject["rule"]) == ("3", "valid_from", "date")
    assert json.loads(reject["raw"])["claim_ref"] == "C3"


def test_rejects_are_closed_to_everybody_but_their_owner(home, tmp_path):
    read(home, tmp_path, f"{HEADER}\nx,1 High Street,N16 5ZZ\n".encode())
    (run,) = home.runs.iterdir()

    assert run.stat().st_mode & 0o077 == 0


def test_messages_of_refusals_hold_no_value_of_a_row(home, tmp_path):
    content = f"{HEADER}\nx,SECRET STREET,N16 5ZZ\n".encode()
    folder = write_extracts(tmp_path / "x", council_tax_accounts=[{}])
    (folder / "properties.csv").write_bytes(content)
    with pytest.raises(ExtractRejected) as refused:
        ingest(folder, home, bases=lawful_bases())

    assert "SECRET" not in str(refused.value)
    assert "SECRET" not in (refused.value.summary.run_folder / "ingest.json").read_text()


def test_tables_from_frames_fill_what_the_contract_fills(tmp_path):
    opened = tables(
        tmp_path, council_tax_accounts=[{"valid_to": date(2024, 3, 1), "uprn": "77"}],
        homelessness_cases=[{"duty": "relief", "duty_on": date(2024, 2, 1)}],
        interventions=[{"kind": "contacted"}],
    )  # fmt: skip
    con = duckdb.connect()
    opened.register(con)

    assert con.execute(
        "SELECT uprn, known_on, valid_to_known_on FROM council_tax_accounts"
    ).fetchall() == [("000000000077", date(2020, 1, 1), date(2024, 3, 1))]
    assert con.execute("SELECT duty_known_on FROM homelessness_cases").fetchall() == [
        (date(2024, 2, 1),)
    ]
    assert con.execute("SELECT known_on FROM interventions").fetchall() == [(date(2024, 1, 1),)]
    assert con.execute("SELECT count(*) FROM rent_transactions").fetchall() == [(0,)]
    assert set(opened.names) == {"council_tax_accounts", "homelessness_cases", "interventions"}
    assert "rent_transactions" in opened.missing
    assert opened.last_known_on == date(2024, 1, 1)


def test_frames_that_break_the_contract_are_refused_by_column_and_rule(tmp_path):
    with pytest.raises(ExtractRejected, match="kind:code"):
        tables(tmp_path, rent_transactions=[{"kind": "gift"}])
    with pytest.raises(ExtractRejected, match="same_key_differs"):
        twice = [{"transaction_ref": "R"}, {"transaction_ref": "R", "amount_pence": 1}]
        tables(tmp_path, rent_transactions=twice)


def test_the_content_hash_changes_if_and_only_if_content_does(tmp_path):
    rows = [{"transaction_ref": f"R{n}", "amount_pence": n} for n in range(5)]
    made = {
        name: tables(tmp_path / name, rent_transactions=given).content_hash
        for name, given in {
            "same": rows, "shuffled": rows[::-1], "fewer": rows[:-1],
            "other": [*rows[:-1], {"transaction_ref": "R4", "amount_pence": 5}],
        }.items()
    }  # fmt: skip
    empty = tables_from_frames(frames(rent_transactions=rows, benefits=[]), tmp_path / "empty")

    assert made["same"] == made["shuffled"]
    assert len({*made.values(), empty.content_hash}) == 4


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7])
def test_lines_are_the_same_however_the_file_is_cut_into_pieces(tmp_path, monkeypatch, piece):
    monkeypatch.setattr("earlyflag.sources.encodings.CHUNK", piece)
    path = tmp_path / "lines.txt"
    path.write_bytes("één\r\n\r\nzwei\rtrois\n\nfive\r".encode())

    assert [text for text, _ in split_lines(path, "utf-8")] == [
        "één", "", "zwei", "trois", "", "five",
    ]  # fmt: skip
    nature = examine(path)
    assert (nature.encoding, nature.mixed, nature.pairs, nature.lines) == ("utf-8", False, 2, 6)


def test_a_large_file_with_one_bad_line_keeps_its_other_lines_and_their_numbers(home, tmp_path):
    lines = [f"{n},{n} High Street,N16 5ZZ" for n in range(1, 60_001)]
    lines[20_000] = "20001,20001 Café Mews,N16 5ZZ"
    lines[45_000] = "x,45001 High Street,N16 5ZZ"
    content = "\r\n".join([HEADER, *lines, "TOTAL,60000"]).encode("cp1252")
    found, rejects = read(home, tmp_path, content)

    assert len(found) == 59_999
    assert found[20_001] == "20001 Café Mews"
    assert rejects == [(45_002, "uprn"), (60_002, "row_shape")]
