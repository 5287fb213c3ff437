"""The terms of simple rules, worked out by hand, and only from what was known by then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from earlyflag import features
from earlyflag.core.errors import UndeclaredFeature
from earlyflag.features.families import FAMILIES
from earlyflag.features.guard import check_family
from earlyflag.features.ledgers import LEDGERS
from earlyflag.features.relations import relations
from earlyflag.modelling.baselines import RULES
from tests.feature_cases import AS_OF, Case, HandmadeTables, village


def rent(*rows: tuple[str, str, int], **also) -> list[dict]:
    return [
        {"happened_on": day, "kind": kind, "amount_pence": pence, **also}
        for day, kind, pence in rows
    ]


ARREARS = Case(
    "Owes since 6 April and pays ever less, ever later",
    "rules",
    rows={
        # Cleared on 5 April; the charge of the next day is the first of the arrears: 86 days.
        "rent_transactions": rent(
            ("2026-03-02", "rent", 50_000),
            ("2026-04-05", "payment", -50_000),
            ("2026-04-06", "rent", 50_000),
            ("2026-05-04", "rent", 50_000),
            ("2026-05-10", "payment", -30_000),  # 35 days after the one before
            ("2026-06-24", "payment", -5_000),  # 45 days after it, 7 before the cut-off
        ),
        "tenancy_events": [
            {"happened_on": day, "kind": kind}
            for day, kind in (
                ("2024-02-01", "arrangement_broken"),
                ("2025-09-01", "arrangement_broken"),
                ("2026-05-20", "arrangement_made"),
                ("2026-06-10", "notice_seeking_possession"),
            )
        ],
    },
)
SETTLED = Case(
    "Paid up, after arrears that ended",
    "rules",
    rows={
        "rent_transactions": rent(
            ("2026-05-04", "rent", 40_000),
            ("2026-06-01", "payment", -40_000),
        ),
    },
)
HOMES_OWNED = Case("Pays no rent", "rules")
CASES = [ARREARS, SETTLED, HOMES_OWNED]


def frame_of(rows, households, folder, families=features.RULE_FAMILIES) -> pd.DataFrame:
    store = features.build(
        HandmadeTables(rows), households, [AS_OF], folder, families=families, threads=1
    )
    return store.frame([AS_OF]).set_index("household_id")


@pytest.fixture(scope="module")
def terms(tmp_path_factory) -> pd.DataFrame:
    return frame_of(*village(CASES), tmp_path_factory.mktemp("rules"))


def test_each_term_is_what_the_ledger_says(terms):
    found = terms.loc["H0"]
    assert found["rule_rent_days_in_arrears"] == (AS_OF - date(2026, 4, 6)).days == 86
    # -£50 after -£300 after -£500: up by £250, having gone up by £200 before.
    assert found["rule_rent_payment_change_pence"] == 25_000 - 20_000
    assert found["rule_rent_payment_gap_change_days"] == 45 - 35
    assert found["rule_rent_arrangements_broken"] == 2


def test_arrears_that_were_cleared_are_no_days_in_arrears(terms):
    assert terms.loc["H1", "rule_rent_days_in_arrears"] == 0


def test_a_change_between_fewer_than_three_payments_is_not_known(terms):
    assert np.isnan(terms.loc["H1", "rule_rent_payment_change_pence"])
    assert np.isnan(terms.loc["H1", "rule_rent_payment_gap_change_days"])


def test_who_pays_no_rent_has_no_term(terms):
    assert terms.loc["H2"].drop("as_of").isna().all()


def test_a_payment_known_only_after_the_cut_off_counts_for_nothing(tmp_path, terms):
    rows, households = village(CASES)
    template = rows["rent_transactions"][0]
    rows["rent_transactions"] += [
        {**template, "transaction_ref": "late", "happened_on": "2026-06-25", "kind": "payment",
         "amount_pence": -70_000, "known_on": AS_OF.isoformat()},
        {**template, "transaction_ref": "future", "happened_on": "2026-07-02", "kind": "rent",
         "amount_pence": 50_000, "known_on": "2026-01-01"},
    ]  # fmt: skip
    pd.testing.assert_frame_equal(frame_of(rows, households, tmp_path), terms)


def test_the_dropped_score_is_whole_and_worked_out_by_hand(tmp_path):
    rows, households = village(CASES)
    own = frame_of(rows, households, tmp_path / "rules").drop(columns="as_of")
    known = frame_of(rows, households, tmp_path / "features", FAMILIES).join(own)
    rule = next(each for each in RULES if each.name == "dropped_score")
    values = {name: known[name].to_numpy(dtype=float) for name in rule.uses}
    score = rule.score(values, np.arange(3), np.zeros(3))
    balance = 500 - 500 + 500 + 500 - 300 - 50
    whole = (
        1.2 * balance  # £650 owed
        + 1.5 * 86  # days in arrears
        + 7 * 1  # 7 days since the last payment, one whole week
        + 50  # the change in the last three payments, in pounds
        + 5 * 10  # the change in the days between them
        + 50 * 2  # broken arrangements, no more than three
        + 100  # an arrangement in force
        + 20 + 50  # a notice within the year, and within the month
    )  # fmt: skip
    assert score[0] == round((whole - balance) / 10) == 64
    assert score[2] < -1e17


def test_the_terms_keep_the_engine_s_rules_and_stay_out_of_the_catalogue():
    offered = {*relations(1), *LEDGERS} - {"known_cases"}
    for family in features.RULE_FAMILIES:
        check_family(family, offered)
        assert not set(family.feature_names) & set(features.CATALOGUE)
        with pytest.raises(UndeclaredFeature, match="not known at the cut-off"):
            check_family(replace(family, sql=family.sql.replace("visible_rent", "rent")), offered)
