"""The page's dry run reads no more than a page can, and tells nothing of the server."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from earlyflag.cli import handed_in
from earlyflag.cli.handed_in import DryRuns
from earlyflag.core.errors import InputInvalid
from earlyflag.core.settings import Settings

ACCOUNTS = "council_tax_accounts"


def _parquet(rows: int) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"account_ref": [f"{n:09}" for n in range(rows)]}), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (f"{ACCOUNTS}.csv", b"x" * 5_000),
        (f"{ACCOUNTS}.csv.gz", gzip.compress(b"x" * 500_000)),
        (f"{ACCOUNTS}.parquet", _parquet(10_000)),
    ],
)
def test_what_unpacks_to_more_than_a_page_checks_is_refused_before_it_is_read(
    name: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handed_in, "MOST_UNPACKED_BYTES", 4_000)
    with pytest.raises(InputInvalid, match="earlyflag ingest"):
        DryRuns(Settings(home=tmp_path)).dry_run([(name, content)])


def test_several_files_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed_in, "MOST_UNPACKED_BYTES", 4_000)
    files = [(f"{ACCOUNTS}-{n}.csv", b"x" * 1_500) for n in range(3)]
    with pytest.raises(InputInvalid, match="too big"):
        DryRuns(Settings(home=tmp_path)).dry_run(files)


def test_files_with_other_names_are_told_without_the_servers_folders(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="named as an extract") as raised:
        DryRuns(Settings(home=tmp_path)).dry_run([("holiday.csv", b"a,b\n1,2\n")])
    assert "/" not in str(raised.value)
