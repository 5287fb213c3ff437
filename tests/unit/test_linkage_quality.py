"""Linkage on a small synthetic borough: as good as promised, repeatable, honest about limits."""

from __future__ import annotations

import json
import random
from datetime import date
from xml.etree import ElementTree

import duckdb
import pandas as pd
import pytest

from earlyflag import linkage
from earlyflag.core.clock import month_starts
from earlyflag.linkage.parameters import packaged
from earlyflag.linkage.weights import levels_by_weight
from earlyflag.sources import tables_from_frames
from earlyflag.synthetic import write_borough
from tests.village import Village

LINKED_TABLES = (
    "properties", "council_tax_accounts", "council_tax_people", "tenancies", "tenancy_people",
    "homelessness_cases", "equality_monitoring",
)  # fmt: skip


def borough(folder, households, months, seed):
    write_borough(folder, households=households, months=months, seed=seed)
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in LINKED_TABLES}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    root = tmp_path_factory.mktemp("borough")
    frames = borough(root / "extracts", 800, 24, seed=5)
    tables = tables_from_frames(frames, root / "tables")
    cut_offs = month_starts(date(2025, 1, 1), date(2026, 1, 1))
    households = linkage.link(tables, cut_offs, root / "households", threads=1)
    return root, frames, tables, cut_offs, households


def rows_of(households):
    con = duckdb.connect()
    households.register(con)
    return {
        view: con.execute(f"SELECT * FROM {view} ORDER BY ALL").fetchall()
        for view in ("household_members", "household_homes", "case_links", "unscorable")
    }


def test_pairs_between_sources_are_as_precise_and_complete_as_promised(small):
    root, _, tables, _, households = small
    found = linkage.quality(tables, households, root / "extracts" / "truth")["against_truth"]
    assert found["between_sources"]["precision"] >= 0.99
    assert found["between_sources"]["recall"] >= 0.95


def test_shuffled_rows_give_identical_identifiers(small, tmp_path):
    _, frames, _, cut_offs, households = small
    shuffled = {
        name: frame.sample(frac=1, random_state=random.Random(name).randrange(1000))
        for name, frame in frames.items()
    }
    tables = tables_from_frames(shuffled, tmp_path / "tables")
    again = linkage.link(tables, cut_offs, tmp_path / "households", threads=1)
    assert rows_of(again) == rows_of(households)
    assert again.content_hash == households.content_hash


def test_what_has_not_changed_is_not_linked_again(small):
    root, _, tables, cut_offs, households = small
    pointer = root / "households" / "current.json"
    written = pointer.stat().st_mtime_ns
    again = linkage.link(tables, cut_offs, root / "households", threads=1)
    assert again.content_hash == households.content_hash
    assert pointer.stat().st_mtime_ns == written


def test_quality_is_json_and_withholds_small_groups(small):
    _, _, tables, _, households = small
    told = linkage.quality(tables, households, smallest_group=10**6)
    json.dumps(told)
    assert told["against_truth"] is None
    for groups in told["duties_linked"]["by"].values():
        assert {group["share"] for group in groups} <= {None}
    assert told["counts"]["cases"] > 0


def test_the_clerical_sample_is_repeatable_and_asks_for_an_answer(small):
    _, _, tables, _, households = small
    first = linkage.sample(tables, households, size=30, seed=7)
    again = linkage.sample(tables, households, size=30, seed=7)
    pd.testing.assert_frame_equal(first, again)
    assert len(first) == 30
    assert set(first["same_person"]) == {""}
    assert not first["linked"].all()


SUPPRESSED = {
    "by their own reference": {"source": "council_tax", "person_ref": "c1"},
    "by a reference of their household": {"source": "tenancy", "person_ref": "t2"},
    "by their home": {"uprn": "1"},
    "by their case": {"source": "homelessness", "person_ref": "h-K1"},
    "from next year on": {"uprn": "1", "valid_from": "2022-01-01"},
}


@pytest.mark.parametrize("how", [*SUPPRESSED, "by casework"])
def test_the_clerical_sample_names_nobody_who_is_suppressed(tmp_path, how):
    village = pair_of_homes()
    households = linkage.link(village, [date(2021, 7, 1)], tmp_path / "households", threads=1)
    assert sampled(village, households) >= {"c1", "t1", "c9", "t9"}
    withheld = set()
    if how == "by casework":
        con = duckdb.connect()
        households.register(con)
        withheld = set(con.execute("SELECT household_id FROM household_members "
                                   "WHERE person_ref = 'c1'").fetchall()[0])  # fmt: skip
    else:
        village.rows["suppressions"] = [
            {"suppression_ref": "S1", "kind": "safe_contact", "valid_from": "2021-01-01",
             **SUPPRESSED[how]}
        ]  # fmt: skip
    found = sampled(village, households, withheld=withheld)
    assert not {"c1", "t1", "t2", "K1"} & found
    assert found >= {"c9", "t9"}


def test_a_suppression_that_has_ended_keeps_nobody_out_of_the_clerical_sample(tmp_path):
    village = pair_of_homes()
    village.rows["suppressions"] = [
        {"suppression_ref": "S1", "kind": "objection", "uprn": "1", "valid_from": "2020-01-01",
         "valid_to": "2020-06-01"}
    ]  # fmt: skip
    households = linkage.link(village, [date(2021, 7, 1)], tmp_path / "households", threads=1)
    assert "c1" in sampled(village, households, on=date(2020, 6, 1))
    assert "c1" not in sampled(village, households, on=date(2020, 5, 31))


def pair_of_homes():
    village = Village()
    for home, ref, names in (
        ("1", "1", ("Grace Okafor", "Paul Okafor")),
        ("9", "9", ("Asha Rao",)),
    ):
        village.home(home).account(f"A{ref}", home, "2020-01-10")
        village.tenancy(f"T{ref}", home, "2020-01-10")
        village.payer(f"A{ref}", f"c{ref}", names[0], "1980-04-17")
        village.tenant(f"T{ref}", f"t{ref}", names[0], "1980-04-17")
    village.tenant("T1", "t2", "Paul Okafor", "1979-01-02", relationship="partner")
    return village.case("K1", "Grace Okafor", "1980-04-17", on="2021-05-01", uprn="1")


def sampled(village, households, **options):
    pairs = linkage.sample(village, households, **options)
    return {*pairs["reference_a"], *pairs["reference_b"]}


def test_the_match_weight_chart_draws_every_level_and_says_it_in_words():
    drawing = ElementTree.fromstring(linkage.match_weight_chart(packaged()))
    labels = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    for row in levels_by_weight(packaged()):
        assert any(label and label.endswith(row["level"]) for label in labels)
    assert "never linked" in (drawing.findtext("{http://www.w3.org/2000/svg}desc") or "")


@pytest.mark.slow
def test_twenty_thousand_households_link_as_promised(tmp_path):
    frames = borough(tmp_path / "extracts", 20_000, 48, seed=77)
    tables = tables_from_frames(frames, tmp_path / "tables")
    cut_offs = month_starts(date(2023, 1, 1), date(2026, 1, 1))
    households = linkage.link(tables, cut_offs, tmp_path / "households")
    found = linkage.quality(tables, households, tmp_path / "extracts" / "truth")["against_truth"]
    for pairs in ("between_sources", "all_pairs"):
        assert found[pairs]["precision"] >= 0.99
        assert found[pairs]["recall"] >= 0.95
    assert found["cases_without_uprn"]["recall"] >= 0.85
