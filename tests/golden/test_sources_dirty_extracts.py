"""A folder made dirty in every way real extracts are: each fault mended by a rule or rejected."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from earlyflag.core.home import Home
from earlyflag.sources import IngestSummary, ingest, load
from tests.factories import lawful_bases

DIRTY = Path(__file__).parent / "dirty_extracts"
TABLES = sorted(path.stem for path in (DIRTY / "expected" / "accepted").glob("*.csv"))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return Home(tmp_path_factory.mktemp("dirty") / "home").open()


@pytest.fixture(scope="module")
def summary(home) -> IngestSummary:
    return ingest(DIRTY, home, bases=lawful_bases(), reject_share_limit=1)


@pytest.mark.parametrize("table", TABLES)
def test_every_fault_is_rejected_with_its_file_line_column_rule_and_raw_row(summary, table):
    expected = DIRTY / "expected" / "rejects" / f"{table}.csv"
    found = summary.run_folder / "rejects" / f"{table}.csv"

    assert expected.exists() == found.exists()
    assert found.read_text(encoding="utf-8") == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("table", TABLES)
def test_every_clean_row_survives_as_the_mapping_reads_it(home, summary, table):
    con = duckdb.connect()
    load(home.tables).register(con)
    rows = con.execute(f"FROM {table} ORDER BY ALL").fetchall()
    found = [["" if cell is None else str(cell) for cell in row] for row in rows]

    with (DIRTY / "expected" / "accepted" / f"{table}.csv").open(encoding="utf-8") as stream:
        expected = list(csv.reader(stream))[1:]

    assert found == expected


@pytest.mark.parametrize("table", TABLES)
def test_read_rows_are_accepted_rejected_or_duplicates(summary, table):
    counts = summary.tables[table]

    assert counts.read == counts.accepted + counts.rejected + counts.duplicates


def test_a_dirty_folder_is_refused_whole_at_the_usual_limit(tmp_path):
    from earlyflag.core.errors import ExtractRejected

    home = Home(tmp_path / "home").open()

    with pytest.raises(ExtractRejected, match="rows were rejected"):
        ingest(DIRTY, home, bases=lawful_bases())

    assert not (home.tables / "current.json").exists()


@pytest.mark.parametrize("table", TABLES)
def test_a_rejected_row_names_a_line_that_says_the_same(summary, table):
    path = summary.run_folder / "rejects" / f"{table}.csv"
    if not path.exists():
        pytest.skip("nothing was rejected")
    with path.open(encoding="utf-8", newline="") as stream:
        rejects = list(csv.DictReader(stream))
    for reject in rejects:
        content = (DIRTY / reject["file"]).read_bytes()
        lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        line = lines[int(reject["line"]) - 1].decode("latin-1")
        key = reject["raw"].split("\t")[0].split(",")[0].split(";")[0]

        assert line.startswith(key)
