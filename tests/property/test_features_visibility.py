"""Nothing that is not yet known changes a feature, and neither does the order of rows."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earlyflag import features
from earlyflag.sources.schema import TABLES
from tests.feature_cases import AS_OF, HandmadeTables, read_cases, village

CASES = read_cases()
DATED = [
    name
    for name in (
        "council_tax_transactions", "council_tax_recovery", "council_tax_accounts",
        "council_tax_people", "benefits", "tenancies", "tenancy_people", "rent_transactions",
        "tenancy_events", "homelessness_cases",
    )
    if TABLES[name].dated_by
]  # fmt: skip
ENDS = {"valid_to": "valid_to_known_on", "duty_on": "duty_known_on", "closed_on": "closed_known_on"}


def computed(rows: dict[str, list[dict[str, Any]]], folder) -> pd.DataFrame:
    _, households = village(CASES)
    store = features.build(HandmadeTables(rows), households, [AS_OF], folder, threads=1)
    return store.frame([AS_OF])


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    rows, _ = village(CASES)
    return computed(rows, tmp_path_factory.mktemp("known"))


def not_yet_known(draw: random.Random, table: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a copy of a row, or a new one, that the council learns of only after the cut-off."""
    row = dict(draw.choice(rows))
    later = AS_OF + timedelta(days=draw.randrange(0, 400))
    dated_by = TABLES[table].dated_by
    if draw.random() < 0.8:
        row[dated_by] = (AS_OF - timedelta(days=draw.randrange(0, 900))).isoformat()
    else:
        row[dated_by] = (AS_OF + timedelta(days=draw.randrange(0, 300))).isoformat()
    row["known_on"] = max(later, date.fromisoformat(row[dated_by])).isoformat()
    for known_by in ENDS.values():
        row.pop(known_by, None)
    if "amount_pence" in row:
        row["amount_pence"] = draw.randrange(-100_000, 100_000)
    if "kind" in row:
        row["kind"] = draw.choice(TABLES[table].column("kind").codes)
    for key in ("transaction_ref", "event_ref", "case_ref", "claim_ref"):
        if key in row and key != "claim_ref":
            row[key] = f"N{draw.random()}"
    return row


def ended_later(draw: random.Random, row: dict[str, Any]) -> dict[str, Any]:
    """Return an open spell with an end before the cut-off that becomes known after it."""
    end = AS_OF - timedelta(days=draw.randrange(1, 200))
    return {
        **row,
        "valid_to": end.isoformat(),
        "valid_to_known_on": (AS_OF + timedelta(days=draw.randrange(0, 90))).isoformat(),
    }


def corrected_later(draw: random.Random, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row and the version that replaces it after the cut-off."""
    day = (AS_OF + timedelta(days=draw.randrange(0, 90))).isoformat()
    changed = {**row, "known_on": day}
    if "amount_pence" in row:
        changed["amount_pence"] = draw.randrange(-90_000, 90_000)
    return [{**row, "superseded_on": day}, changed]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 40))
def test_rows_ends_and_corrections_not_yet_known_change_nothing(
    known, tmp_path_factory, seed, count
):
    draw = random.Random(seed)
    rows, _ = village(CASES)
    for _ in range(count):
        table = draw.choice(DATED)
        held = rows[table]
        choice = draw.random()
        place = draw.randrange(len(held))
        if choice < 0.5:
            held.append(not_yet_known(draw, table, held))
        elif choice < 0.75 and TABLES[table].spell and not held[place].get("valid_to"):
            held[place] = ended_later(draw, held[place])
        elif "superseded_on" not in held[place] and "known_on" not in held[place]:
            held[place : place + 1] = corrected_later(draw, held[place])
    for held in rows.values():
        draw.shuffle(held)
    found = computed(rows, tmp_path_factory.mktemp("later"))
    pd.testing.assert_frame_equal(found, known)


def test_the_same_rows_known_a_day_earlier_do_change_features(known, tmp_path):
    rows, _ = village(CASES)
    before = (AS_OF - timedelta(days=1)).isoformat()
    first = rows["council_tax_transactions"][0]
    rows["council_tax_transactions"].append(
        {**first, "transaction_ref": "X", "happened_on": "2026-06-01", "known_on": before}
    )
    found = computed(rows, tmp_path)
    assert not found.equals(known)


@pytest.mark.parametrize("reason", ["domestic_abuse", "other_violence", "not_known"])
def test_no_feature_tells_the_reason_for_homelessness_apart(known, tmp_path, reason):
    rows, _ = village(CASES)
    for row in rows["homelessness_cases"]:
        row["reason"] = reason
        row["accommodation"] = "refuge" if reason == "domestic_abuse" else "council"
    pd.testing.assert_frame_equal(computed(rows, tmp_path), known)
