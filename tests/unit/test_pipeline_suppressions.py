"""Suppressions of the sources, resolved to the households that casework must keep off its lists."""

from __future__ import annotations

from datetime import date

import duckdb

from earlyflag import linkage
from earlyflag.pipeline.household_records import suppression_records
from tests.village import Village


def resolved(village: Village, folder) -> tuple[dict[str, set], dict[str, str]]:
    """Return the households of each suppression, and the household of each member."""
    households = linkage.link(village, [date(2021, 7, 1)], folder, threads=1)
    con = duckdb.connect()
    village.register(con)
    households.register(con)
    found: dict[str, set] = {}
    for record in suppression_records(con):
        found.setdefault(record.suppression_ref, set()).add(record.household_id)
    members = con.execute("SELECT person_ref, household_id FROM household_members").fetchall()
    return found, dict(members)


def test_a_suppressed_homelessness_applicant_keeps_their_household_off_the_lists(tmp_path):
    village = Village().home("1").account("A1", "1", "2020-01-10")
    village.payer("A1", "c1", "Grace Okafor", "1980-04-17")
    for case, on in (("K1", "2021-03-01"), ("K2", "2021-05-01")):
        village.case(case, "Grace Okafor", "1980-04-17", on=on, uprn="1", person_ref="h1")
    village.rows["suppressions"] = [
        {"suppression_ref": "S1", "kind": "safe_contact", "valid_from": "2021-03-01",
         "source": "homelessness", "person_ref": "h1"},
        {"suppression_ref": "S2", "kind": "objection", "valid_from": "2021-03-01",
         "source": "homelessness", "person_ref": "nobody"},
        {"suppression_ref": "S3", "kind": "objection", "valid_from": "2021-03-01",
         "source": "council_tax", "person_ref": "h1"},
    ]  # fmt: skip
    found, household_of = resolved(village, tmp_path)
    assert found == {"S1": {household_of["c1"]}, "S2": {None}, "S3": {None}}
