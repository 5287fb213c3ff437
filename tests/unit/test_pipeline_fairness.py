"""The fairness audit goes on from the list to contacts and help, in counts that tell of nobody."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from earlyflag import casework
from earlyflag.casework import ContactForm, DecisionForm
from earlyflag.core.settings import Settings
from earlyflag.core.terms import SuppressionRecord
from earlyflag.pipeline import feedback
from earlyflag.store.terms import (
    ContactChannel,
    ContactResult,
    DecisionCode,
    DocumentKind,
    OfferState,
)
from tests.office import AS_OF, Office, household_id

LISTED, SAFE = 36, 35
TENURES = {number: "council" if number <= 20 else "private" for number in range(1, 33)}
REACHED = [*range(1, 13), *range(21, 32)]
HELPED = [*range(1, 12), 21, 22]


@pytest.fixture
def worked(office: Office) -> Office:
    """Thirty-five households on the list, some reached and some of those helped."""
    safe = SuppressionRecord("S1", "safe_contact", AS_OF, None, household_id(SAFE))
    office.publish(range(1, LISTED + 1), suppressions=[safe])
    office.raise_flags(LISTED)
    for number in REACHED:
        flag = office.take("reviewer", number)
        with office.desk("reviewer") as desk:
            form = DecisionForm(DecisionCode.OFFER_HELP, "Why.", ("money_advice",))
            flag = casework.decide(desk, flag.flag_id, flag.version, form)
            call = ContactForm(AS_OF, ContactChannel.TELEPHONE, ContactResult.REACHED)
            casework.record_contact(desk, flag.flag_id, flag.version, call)
            if number in HELPED:
                offer = casework.get_flag(desk, flag.flag_id).offers[0]
                casework.change_offer(desk, offer.offer_id, OfferState.STARTED)
    return office


def test_each_listed_household_says_how_far_it_came(worked: Office):
    with worked.desk("score") as desk:
        rows = {row.household_id: row for row in casework.journey_rows(desk)}
    assert household_id(SAFE) not in rows
    assert {each for each, row in rows.items() if row.contacted} == set(map(household_id, REACHED))
    assert {each for each, row in rows.items() if row.helped} == set(map(household_id, HELPED))


@pytest.fixture
def audited(worked: Office, monkeypatch, tmp_path):
    """What the audit finds of them, their groups as linkage and monitoring would give them."""
    groups = pd.DataFrame(
        {
            "household_id": [household_id(number) for number in range(1, LISTED + 1)],
            "as_of": pd.Series([pd.Timestamp(AS_OF)] * LISTED).astype("datetime64[s]"),
            "tenure": [TENURES.get(number) for number in range(1, LISTED + 1)],
        }
    )
    asked: list[list[date]] = []

    def audit_groups(tables, households, cut_offs):
        asked.append(list(cut_offs))
        return groups

    monkeypatch.setattr(feedback.features, "audit_groups", audit_groups)
    monkeypatch.setattr(feedback, "linked", lambda home: (None, None))
    monkeypatch.setattr(feedback, "open_database", lambda settings: worked.engine)
    settings = Settings(home=Path(tmp_path / "home"))
    found = feedback.audit_help(settings, ["tenure", "sex"], clock=worked.clock)
    assert asked == [[AS_OF]]
    return SimpleNamespace(found=found, office=worked, settings=settings)


def test_the_counts_go_by_group_and_small_ones_are_withheld(audited):
    council, private, unknown = audited.found["tenure"]
    assert list(audited.found) == ["tenure"]
    # Three households are of no known tenure: they and the next smallest group are withheld. Two
    # of those without a figure were helped, which the 11 of council tenants would tell.
    assert council == {
        "group": "council", "suppressed": False, "listed": 20, "contacted": 12, "helped": None,
    }  # fmt: skip
    assert (private["group"], private["listed"]) == ("not known", None)
    assert (unknown["group"], unknown["listed"]) == ("private", None)


def test_the_counts_are_published_for_a_page_and_name_nobody(audited):
    with audited.office.desk("analyst") as desk:
        content = casework.get_document(desk, DocumentKind.BOROUGH).content
    (section,) = content["sections"]
    assert section["heading"] == "From list to help, by tenure"
    assert section["table"]["rows"][0] == ["council", "20", "12", "withheld"]
    assert "H00" not in str(content)
    assert "Canary" not in str(content)


def test_before_anybody_is_listed_there_is_nothing_to_count(office, monkeypatch, tmp_path):
    monkeypatch.setattr(feedback, "linked", lambda home: (None, None))
    monkeypatch.setattr(feedback, "open_database", lambda settings: office.engine)
    found = feedback.audit_help(Settings(home=tmp_path / "home"), ["tenure"], clock=office.clock)
    assert found == {}
