"""An ingestion killed at any moment leaves the tables as before or as after."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from earlyflag.core.home import Home
from earlyflag.sources import ingest, load
from tests.factories import lawful_bases, write_extracts

CHILD = """
import sys
from datetime import date
from pathlib import Path
from earlyflag.core.home import Home
from earlyflag.sources import ingest
print("started", flush=True)
ingest(Path(sys.argv[1]), Home(Path(sys.argv[2])), bases={}, lawful_basis="a test",
       delivered_on=date(2025, 11, 1))
print("ended", flush=True)
"""

ROWS = 40_000


def ledger(folder: Path, count: int, amount: int) -> Path:
    write_extracts(folder, council_tax_accounts=[{"account_ref": "A1"}])
    frame = pd.DataFrame({
        "transaction_ref": [f"R{n}" for n in range(count)], "tenancy_ref": "T1",
        "happened_on": "2024-01-01", "kind": "rent", "amount_pence": amount,
    })  # fmt: skip
    frame.to_csv(folder / "rent_transactions.csv", index=False)
    return folder


def content(home: Home) -> tuple[str, int, int]:
    """Return the hash and, read from the files themselves, rows and sum of the current version."""
    tables = load(home.tables)
    con = duckdb.connect()
    tables.register(con)
    rows, total = con.execute(
        "SELECT count(*), sum(amount_pence) FROM rent_transactions WHERE superseded_on IS NULL"
    ).fetchall()[0]
    return tables.content_hash, rows, int(total)


def kill_at_random(tmp_path: Path, moments: int) -> None:
    home = Home(tmp_path / "home").open()
    ingest(ledger(tmp_path / "first", ROWS, 1), home, bases=lawful_bases(),
           delivered_on=date(2025, 10, 1))  # fmt: skip
    before = content(home)
    second = ledger(tmp_path / "second", ROWS * 2, 2)
    after_home = Home(tmp_path / "after").open()
    ingest(tmp_path / "first", after_home, bases=lawful_bases(), delivered_on=date(2025, 10, 1))
    began = time.monotonic()
    ingest(second, after_home, bases=lawful_bases(), delivered_on=date(2025, 11, 1))
    lasts = time.monotonic() - began
    after = content(after_home)
    assert before != after

    chance = random.Random(7)
    killed = 0
    for _ in range(moments):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(second), str(home.root)], stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        )  # fmt: skip
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0, lasts * 1.2))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        killed += child.returncode == -signal.SIGKILL
        assert content(home) in (before, after)
        if content(home) == after:  # Start again from the first delivery.
            for path in home.tables.rglob("*"):
                if path.is_file():
                    path.unlink()
            ingest(tmp_path / "first", home, bases=lawful_bases(), delivered_on=date(2025, 10, 1))
            assert content(home) == before
    assert killed > 0
    ingest(second, home, bases=lawful_bases(), delivered_on=date(2025, 11, 1))
    assert content(home) == after
    assert not (home.tables / ".work").exists()


def test_tables_are_whole_after_a_kill_at_a_few_random_moments(tmp_path):
    kill_at_random(tmp_path, 5)


@pytest.mark.slow
def test_tables_are_whole_after_a_kill_at_fifty_random_moments(tmp_path):
    kill_at_random(tmp_path, 50)
