"""Versions of a row: whatever was delivered when, one of them is visible at any time."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earlyflag.core.home import Home
from earlyflag.sources import ingest, load
from tests.factories import lawful_bases, write_extracts

START = date(2025, 1, 1)
DAYS = st.integers(0, 30).map(lambda n: START + timedelta(days=n))
CASES = settings(
    max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)

VISIBLE = (
    "SELECT amount_pence FROM rent_transactions WHERE known_on < ? "
    "AND (superseded_on IS NULL OR superseded_on >= ?)"
)


def deliver(home: Home, root: Path, number: int, on: date, amount: int, known_on: date | None):
    row = {"transaction_ref": "R1", "amount_pence": amount, "known_on": known_on,
           "happened_on": START}  # fmt: skip
    folder = write_extracts(root / str(number), council_tax_accounts=[{}], rent_transactions=[row])
    ingest(folder, home, bases=lawful_bases(), delivered_on=on)


@CASES
@given(
    versions=st.lists(
        st.tuples(DAYS, st.integers(1, 3), st.one_of(st.none(), DAYS)),
        min_size=1, max_size=4, unique_by=lambda version: version[0],
    ),
    order=st.randoms(use_true_random=False),
)  # fmt: skip
def test_at_most_one_version_is_visible_and_the_newest_wins_in_the_end(versions, order):
    hashes = []
    for turn in range(2):
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            home = Home(root / "home").open()
            arriving = list(versions)
            if turn:
                order.shuffle(arriving)
            for number, (on, amount, known_on) in enumerate(arriving):
                deliver(home, root, number, on, amount, known_on)
            opened = load(home.tables)
            hashes.append(opened.content_hash)
            con = duckdb.connect()
            opened.register(con)
            for day in range(45):
                as_of = START + timedelta(days=day)
                assert len(con.execute(VISIBLE, [as_of, as_of]).fetchall()) <= 1
            newest = max(versions)[1]
            last = START + timedelta(days=400)
            assert con.execute(VISIBLE, [last, last]).fetchall() == [(newest,)]
    assert hashes[0] == hashes[1]
