"""Forty made-up households, published and flagged by casework itself.

Names, addresses and references are canaries: tests look for them where they must not appear.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from earlyflag.casework.desk import Rules, open_desk, system_actor
from earlyflag.casework.people import make_account, make_demo_accounts
from earlyflag.casework.raising import publish, raise_flags
from earlyflag.core.settings import Settings
from earlyflag.core.terms import (
    Band,
    Change,
    Direction,
    Evidence,
    HouseholdRecord,
    Member,
    ModelInfo,
    Reason,
    Score,
    ScoringRun,
    ServingStatus,
    SuppressionRecord,
    TimelineEvent,
)
from earlyflag.store.database import connect, upgrade
from earlyflag.store.terms import Permission, Role

PASSWORD = "correct horse battery"
COUNT = 40
FLAGGED = 30
SAFE_CONTACT = 4
"""The household, by rank, that needs safe contact."""
UNFLAGGED = 39
"""A household, by rank, below the line."""
CANARIES = ("Canaryname", "Canary Street", "0002X", "0039X", "T-90", "10009000")


def household_id(rank: int) -> str:
    """The pseudonym of the household at a rank."""
    return f"HTEST{rank:05d}"


def account_ref(rank: int) -> str:
    """Its council tax account."""
    return f"7001{rank:04d}X"


def model() -> ModelInfo:
    """The model that scored."""
    return ModelInfo(
        name="early_intervention",
        version="3",
        family="lightgbm",
        label="owed_duty",
        horizon_months=12,
        base_rate=0.0104,
        features=("instalments_missed_4", "rent_arrears_weeks", "account_age_months"),
        data_hash="d" * 64,
        specification_hash="s" * 64,
        trained_to=date(2026, 3, 1),
    )


def _reason(key: str, title: str, sentence: str, contribution: float, account: str) -> Reason:
    evidence = tuple(
        Evidence(
            "council_tax_transactions",
            f"{account}-{month}",
            date(2027, month, 1),
            date(2027, month, 3),
            f"Instalment due, not paid ({key.replace('_', ' ')})",
            13_400,
        )
        for month in (1, 2)
    )
    direction = Direction.RAISES if contribution > 0 else Direction.LOWERS
    return Reason(key, title, sentence, direction, contribution, (f"{key}_4",), evidence)


def score(rank: int, as_of: date) -> Score:
    """The score of the household at a rank, its reasons adding up."""
    account = account_ref(rank)
    top = 2.6 * (1 - rank / COUNT)
    reasons = (
        _reason(
            "instalments_missed",
            "Council tax instalments missed",
            "Missed 3 of the last 4 council tax instalments; summons issued 12 February 2027.",
            top,
            account,
        ),
        _reason(
            "rent_arrears",
            "Rent arrears",
            "Rent has been owed for 9 of the last 26 weeks, £412.50 on 22 February 2027.",
            top / 2,
            account,
        ),
        _reason(
            "account_age",
            "Time at this address",
            "Has paid council tax at this address for 7 years.",
            -0.31,
            account,
        ),
    )
    base = -4.4
    log_odds = base + math.fsum(reason.contribution for reason in reasons)
    band = (Band.HIGHEST, Band.HIGH, Band.RAISED, Band.USUAL)[min(rank // 10, 3)]
    return Score(
        household_id=household_id(rank),
        as_of=as_of,
        probability=1 / (1 + math.exp(-log_odds)),
        log_odds=log_odds,
        base_log_odds=base,
        band=band,
        rank=rank,
        model_version=model().full_version,
        reasons=reasons,
        unknowns=("Benefits are not known: no claim was found for this household.",),
        changes=(
            Change(
                "If the rent arrears were cleared, the estimate would be about 2 in 100.",
                ("rent_arrears_4",),
                0.021,
            ),
        ),
    )


def household(rank: int, as_of: date) -> HouseholdRecord:
    """Who and where the household at a rank is."""
    return HouseholdRecord(
        household_id=household_id(rank),
        as_of=as_of,
        uprn=f"10009{rank:07d}",
        address=f"{rank} Canary Street, Testborough",
        postcode="ZZ9 9ZZ",
        ward_code=f"E0500000{rank % 4}",
        tenure="council" if rank % 2 else "private",
        account_refs=(account_ref(rank),),
        tenancy_refs=(f"T-90{rank:04d}",),
        members=(
            Member(
                "council_tax",
                f"P-{rank}",
                f"Pat Canaryname{rank}",
                "lead",
                date(1980, 5, (rank % 28) + 1),
            ),
            Member("tenancy", f"Q-{rank}", f"Sam Canaryname{rank}", "joint"),
        ),
    )


def _timeline(rank: int) -> tuple[TimelineEvent, ...]:
    one = household_id(rank)
    return (
        TimelineEvent(
            one, date(2027, 2, 12), "summons", "Summons for council tax", "council_tax", 53_600
        ),
        TimelineEvent(
            one, date(2027, 2, 1), "rent", "Rent account £412.50 in arrears", "rent", 41_250
        ),
    )


def make_borough(path: Path, now: datetime) -> None:
    """Write the database: schema, accounts, two published runs, raised flags."""
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    rules = Rules.of(Settings())
    make_demo_accounts(engine, now=now, rules=rules, password=PASSWORD)
    with open_desk(engine, system_actor("demo"), now=now, rules=rules) as desk:
        make_account(
            desk, "safe", "Safe contact officer", PASSWORD, [Role.OFFICER],
            [Permission.SAFE_CONTACT],
        )  # fmt: skip
        make_account(desk, "second", "Second manager", PASSWORD, [Role.MANAGER])
        make_account(desk, "second-officer", "Second officer", PASSWORD, [Role.OFFICER])
    actor = system_actor("score")
    ranks = range(1, COUNT + 1)
    for as_of in (date(2027, 2, 1), date(2027, 3, 1)):
        run = ScoringRun(f"run-{as_of}", as_of, model(), "d" * 64, FLAGGED, COUNT, {})
        publish(
            engine,
            actor,
            run,
            [score(rank, as_of) for rank in ranks],
            [household(rank, as_of) for rank in ranks],
            [event for rank in ranks for event in _timeline(rank)],
            [
                SuppressionRecord(
                    "S1", "safe_contact", date(2027, 1, 1), None, household_id(SAFE_CONTACT)
                )
            ],
            now=now,
            rules=rules,
        )
    with open_desk(engine, actor, now=now, rules=rules) as desk:
        raise_flags(desk, "run-2027-03-01", capacity=FLAGGED)
    engine.dispose()


class OneScorer:
    """Scores every row like the first household of the test borough."""

    @property
    def model(self) -> ModelInfo:
        return model()

    def status(self) -> ServingStatus:
        return ServingStatus("early_intervention/3", "early_intervention/3")

    def score(self, rows: Sequence[Mapping[str, float | None]]) -> Sequence[Score]:
        return [score(1, date(2027, 3, 1)) for _ in rows]
