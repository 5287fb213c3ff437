"""From extracts to features: the future, the order of rows and deliveries change nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from earlyflag import features, linkage, sources, synthetic
from earlyflag.core.clock import month_starts
from earlyflag.core.home import Home
from earlyflag.sources.schema import TABLES
from tests.factories import lawful_bases

AS_OF = date(2026, 4, 1)
CUT_OFFS = month_starts(date(2026, 2, 1), AS_OF)
# What a row states only once a later day has come, and what it states before.
LATER = {
    "valid_to_known_on": {"valid_to": None},
    "duty_known_on": {"duty": "none", "duty_on": None},
    "closed_known_on": {"closed_on": None, "outcome": None},
}


@pytest.fixture(scope="module")
def extracts(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("extracts")
    synthetic.write_borough(folder, households=250, months=24, seed=11)
    return folder


def computed(home: Home) -> pd.DataFrame:
    tables = sources.load(home.tables)
    households = linkage.link(tables, CUT_OFFS, home.households, threads=1)
    store = features.build(tables, households, CUT_OFFS, home.features, threads=1)
    return store.frame(CUT_OFFS)


@pytest.fixture(scope="module")
def everything(extracts, tmp_path_factory) -> pd.DataFrame:
    home = Home(tmp_path_factory.mktemp("all") / "home").open()
    sources.ingest(extracts, home, bases=lawful_bases(), delivered_on=date(2026, 10, 1))
    return computed(home)


def frames(extracts: Path) -> dict[str, pd.DataFrame]:
    return {
        name: duckdb.sql(f"SELECT * FROM read_parquet('{extracts / name}.parquet')").df()
        for name in TABLES
        if (extracts / f"{name}.parquet").exists()
    }


def known_then(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table as the council's systems showed them the day before `AS_OF`."""
    table = TABLES[name]
    if table.dated_by is None:
        return frame
    columns = [c for c in frame.columns if c.endswith("_on") or c.startswith("valid_")]
    frame = frame.assign(**{c: pd.to_datetime(frame[c]) for c in columns})
    started = frame[table.dated_by]
    known = frame["known_on"].fillna(started) if "known_on" in frame else started
    frame = frame[known < pd.Timestamp(AS_OF)].copy()
    for known_by, before in LATER.items():
        if known_by in frame:
            happened = {"valid_to_known_on": "valid_to", "duty_known_on": "duty_on",
                        "closed_known_on": "closed_on"}[known_by]  # fmt: skip
            later = frame[known_by].fillna(frame[happened]) >= pd.Timestamp(AS_OF)
            for column, value in before.items():
                frame[column] = frame[column].astype(object).where(~later, value)
            frame[known_by] = frame[known_by].astype(object).where(~later, None)
    return frame


def write(tables: dict[str, pd.DataFrame], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, frame in tables.items():
        dated = {
            c: pd.to_datetime(frame[c]).dt.strftime("%Y-%m-%d")
            for c in frame.columns
            if c.endswith("_on") or c.startswith("valid_") or c == "date_of_birth"
        }
        frame.assign(**dated).to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_what_was_not_known_by_the_last_cut_off_changes_nothing(extracts, everything, tmp_path):
    before = {name: known_then(name, frame) for name, frame in frames(extracts).items()}
    assert sum(map(len, before.values())) < 0.9 * sum(map(len, frames(extracts).values()))
    home = Home(tmp_path / "home").open()
    folder = write(before, tmp_path / "extracts")
    sources.ingest(folder, home, bases=lawful_bases(), delivered_on=AS_OF)
    pd.testing.assert_frame_equal(computed(home), everything)


def test_the_order_of_rows_changes_nothing(extracts, everything, tmp_path):
    shuffled = {
        name: frame.sample(frac=1, random_state=5) for name, frame in frames(extracts).items()
    }
    home = Home(tmp_path / "home").open()
    folder = write(shuffled, tmp_path / "extracts")
    sources.ingest(folder, home, bases=lawful_bases(), delivered_on=date(2026, 10, 1))
    pd.testing.assert_frame_equal(computed(home), everything)


def test_how_deliveries_were_split_changes_nothing(extracts, everything, tmp_path):
    whole = frames(extracts)
    first = {name: known_then(name, frame) for name, frame in whole.items()}
    home = Home(tmp_path / "home").open()
    sources.ingest(write(first, tmp_path / "first"), home, bases=lawful_bases(), delivered_on=AS_OF)
    sources.ingest(
        write(whole, tmp_path / "second"), home, bases=lawful_bases(),
        delivered_on=date(2026, 10, 1),
    )  # fmt: skip
    pd.testing.assert_frame_equal(computed(home), everything)
