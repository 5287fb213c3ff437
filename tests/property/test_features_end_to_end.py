"""From extracts to features: the future, the order of rows and deliveries change nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def was_known(name: str, frame: pd.DataFrame) -> pd.Series:
    """Return whether each row was known by the day before `AS_OF`."""
    dated_by = TABLES[name].dated_by
    if dated_by is None:
        return pd.Series(True, frame.index)
    started = pd.to_datetime(frame[dated_by])
    known = pd.to_datetime(frame["known_on"]).fillna(started) if "known_on" in frame else started
    return known < pd.Timestamp(AS_OF)


def known_then(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table as the council's systems showed them the day before `AS_OF`."""
    columns = [c for c in frame.columns if c.endswith("_on") or c.startswith("valid_")]
    frame = frame[was_known(name, frame)].assign(**{c: pd.to_datetime(frame[c]) for c in columns})
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


REFERENCES = ("transaction_ref", "event_ref", "case_ref", "claim_ref", "person_ref")
SPOKEN = ("amount_pence", "kind", "stage", "surname", "forename", "date_of_birth", "duty",
          "weekly_pence", "uprn", "last_settled_uprn")  # fmt: skip
"""Columns that a row not yet known may change; the new value is another row's."""


def imagined(name: str, frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Return a table with rows not yet known removed, changed and added at random."""
    known = was_known(name, frame)
    if TABLES[name].dated_by is None or known.all():
        return frame
    later = frame[~known]
    later = later[draw.random(len(later)) < draw.random()].copy()
    for column in set(SPOKEN) & set(later.columns):
        others = frame[column].sample(len(later), replace=True, random_state=draw.integers(2**31))
        change = draw.random(len(later)) < 0.5
        later[column] = later[column].where(~change, others.to_numpy())
    keys = [column for column in REFERENCES if column in frame]
    added = frame[known].sample(min(20, int(known.sum())), random_state=draw.integers(2**31))
    if not keys or "known_on" not in frame:
        added = added.head(0)
    # The same people, homes and events under new references, learnt of only after the cut-off.
    added = added.assign(
        known_on=pd.Timestamp(AS_OF) + pd.to_timedelta(draw.integers(0, 200, len(added)), "D"),
        **{column: [f"N{draw.integers(10**9)}" for _ in added.index] for column in keys},
    )
    return pd.concat([frame[known], later, added]).sample(frac=1, random_state=draw.integers(2**31))


@pytest.fixture(scope="module")
def hamlet(tmp_path_factory) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the extracts of a few homes, and their features."""
    folder = tmp_path_factory.mktemp("hamlet")
    synthetic.write_borough(folder / "extracts", households=100, months=18, seed=3)
    home = Home(folder / "home").open()
    sources.ingest(folder / "extracts", home, bases=lawful_bases(), delivered_on=date(2026, 10, 1))
    return frames(folder / "extracts"), computed(home)


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 2**32), deliveries=st.integers(1, 3))
def test_rows_not_yet_known_added_changed_or_removed_change_no_household_and_no_feature(
    hamlet, tmp_path_factory, seed, deliveries
):
    whole, expected = hamlet
    draw = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("imagined")
    home = Home(folder / "home").open()
    other = {name: imagined(name, frame, draw) for name, frame in whole.items()}
    parts = {name: draw.integers(0, deliveries, len(frame)) for name, frame in other.items()}
    for number in range(deliveries):
        # A delivery repeats what the earlier ones told, and tells some rows for the first time.
        told = {name: frame[parts[name] <= number] for name, frame in other.items()}
        sources.ingest(
            write(told, folder / f"extracts-{number}"), home, bases=lawful_bases(),
            delivered_on=date(2026, 10, 1 + number),
        )  # fmt: skip
    pd.testing.assert_frame_equal(computed(home), expected)
