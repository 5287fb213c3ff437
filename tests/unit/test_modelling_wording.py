"""Every sentence of the catalogue can be said of any value, in plain and careful words."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from earlyflag.features import CATALOGUE
from earlyflag.features import GROUPS as DECLARED_GROUPS
from earlyflag.features.declare import FORMATS, placeholders
from earlyflag.features.evidence_words import words_for
from earlyflag.features.families.council_tax_recovery import STAGES
from earlyflag.features.families.tenancy_steps import STEPS
from earlyflag.modelling import wording
from earlyflag.modelling.artefact import feature_facts, group_facts
from earlyflag.modelling.changes import _change, _Try, target
from earlyflag.modelling.linear import SplineLogistic, Term
from earlyflag.modelling.reasons import NOBODY, ReasonWriter, template_for
from earlyflag.modelling.served import Calibration, ServedModel
from earlyflag.modelling.wording import say, spoken
from earlyflag.sources.schema import TABLES
from tests import modelling_samples as samples

VALUES = (
    0.0, 1.0, 2.0, 3.0, 11.0, 0.004, 0.5, 1.5, 21.0, 364.0, 1e6, 1e15, 1e300, math.inf,
    -0.004, -1.0, -2.5, -1e6, -1e300, -math.inf,
)  # fmt: skip
FACTS = {name: feature_facts(feature) for name, feature in CATALOGUE.items()}
GROUPS = {key: group_facts(group) for key, group in DECLARED_GROUPS.items()}
DAY = date(2026, 5, 1)

PLAIN = re.compile(r"^[A-Z£\d][^{}]*[^.{}\s,;]$")
ONE_OF_MANY = re.compile(r"(?<![\d.,])1 (?!summons|was)(?:\w+s|people|were|children)\b")
NOT_NUMBERS = re.compile(r"\b(?:nan|inf)\b|\be\+|--|£-", re.IGNORECASE)
CAUSE = re.compile(r"\b(?:caus\w+|because|due to|leads? to|risky|fraud\w*|to blame)\b", re.I)
ABUSE = re.compile(r"\b(?:abus\w+|violen\w+|refuge|perpetrator|safe contact)\b", re.I)
PROTECTED = re.compile(
    r"\b(?:age of the person|aged|under \d+|years? old|older|elderly|sex|gender|male|"
    r"female|wom[ae]n|m[ae]n|mother|father|wife|husband|ethnic\w*|race|racial|black|white|asian|"
    r"nationality|immigra\w+|asylum|religio\w+|faith|muslim|christian|jewish|hindu|sikh|disab\w+|"
    r"impair\w+|ill(?:ness)?|mental|health|wheelchair|pregnan\w+|maternity|married|marriage|"
    r"civil partner\w*|divorc\w+|gay|lesbian|bisexual|trans(?:gender)?|sexual\w*|"
    r"pension\w*|young\w*|teenage\w*|care leavers?|spouses?|widow\w*|refugees?|citizen\w*|"
    r"language|interpreter|deaf\w*|blind\w*|dementia|addict\w*|carers?|baby|babies)\b",
    re.I,
)


def said_of(fact) -> list[str]:
    """Return every sentence that a feature can be given, dated and undated."""
    said = [fact.sentence_missing] if fact.sentence_missing else []
    for value in VALUES:
        template = template_for(fact, value)
        size = abs(value) if template and template == fact.sentence_negative else value
        said += [say(template, size, latest) for latest in (None, DAY) if template]
    return said


@pytest.mark.parametrize("name", FACTS)
def test_every_sentence_reads_well_for_extreme_values_and_plurals(name):
    fact = FACTS[name]
    for sentence in [*said_of(fact), fact.title]:
        assert PLAIN.match(sentence), sentence
        assert len(sentence) <= 140, sentence
        assert not ONE_OF_MANY.search(sentence), sentence
        assert not NOT_NUMBERS.search(sentence), sentence
    for value in VALUES:
        assert not NOT_NUMBERS.search(spoken(fact, value)), value


@pytest.mark.parametrize("name", FACTS)
def test_no_sentence_names_a_cause_a_protected_characteristic_or_abuse(name):
    fact = FACTS[name]
    speaks = any(template_for(fact, sign) for sign in (-1.0, 0.0, 1.0)) or fact.actionable
    # a feature that never speaks and is never set right is named on the model's pages alone
    for sentence in [*said_of(fact), *([fact.title] if speaks else ())]:
        for banned in (CAUSE, ABUSE, PROTECTED):
            assert not banned.search(sentence.replace("due to end", "")), sentence


def test_the_age_of_a_lead_is_never_said_and_never_offered_to_be_changed():
    assert [name for name, fact in FACTS.items() if PROTECTED.search(fact.title)] == ["young_lead"]
    said = FACTS["young_lead"]
    assert not (said.sentence or said.sentence_zero or said.sentence_negative or said.actionable)


def test_the_banned_words_are_found_where_they_stand():
    for sentence in ("Arrears caused the score", "The cause is debt", "Arrears causing it"):
        assert CAUSE.search(sentence), sentence
    for sentence in ("Fled domestic abuse", "An abusive partner", "Violence at home"):
        assert ABUSE.search(sentence), sentence
    for sentence in (
        "Of pension age",
        "A young person",
        "A care leaver",
        "Lives with a spouse",
        "The person is under 25",
        "A disabled band",
        "Two women",
        "She is pregnant",
    ):
        assert PROTECTED.search(sentence), sentence


def test_every_group_says_what_is_not_known_and_names_leads_that_exist():
    for group in GROUPS.values():
        for sentence in (group.title, group.missing):
            assert PLAIN.match(sentence), group.key
            for banned in (CAUSE, ABUSE, PROTECTED):
                assert not banned.search(sentence), sentence
        assert "not known" in group.missing or group.missing.startswith("No "), group.key
        assert set(group.leads) <= set(FACTS), group.key
        assert {FACTS[lead].group for lead in group.leads} <= {group.key}
    assert {fact.group for fact in FACTS.values()} <= set(GROUPS)


def test_every_format_that_a_sentence_may_ask_for_can_be_said():
    assert set(wording.FORMATS) | {"date"} == set(FORMATS)
    nouns = [
        form.split(":")[1:]
        for feature in CATALOGUE.values()
        for text in feature.sentences
        for _, form in placeholders(text)
        if form.startswith("count")
    ]
    assert nouns
    assert all(len(each) == 2 and each[0] != each[1] for each in nouns if each)


def test_stages_are_named_by_the_ranks_that_the_features_give_them():
    for names, ranks in ((wording.RECOVERY_STAGES, STAGES), (wording.POSSESSION_STAGES, STEPS)):
        assert set(ranks.values()) == set(range(1, len(names)))
        for kind, rank in ranks.items():
            words = set(kind.split("_")) - {"section"}
            assert any(word in names[rank] for word in words), kind


@pytest.mark.parametrize(
    ("template", "value", "said"),
    [
        ("Owes {value:money}", 123456.0, "Owes £1,234.56"),
        ("{value:count:reminder:reminders}", 1.0, "1 reminder"),
        ("{value:count:reminder:reminders}", 1234.0, "1,234 reminders"),
        ("{value:count:reminder:reminders}, latest on {latest:date}", 2.0, "2 reminders"),
        ("{value:count:step:steps}; summons issued {latest:date}", 1.0, "1 step"),
        ("{value:number:week:weeks} late", 3.5, "3.5 weeks late"),
        ("{value:number:week:weeks} late", 1.04, "1 week late"),
        ("{value:percent} paid", 0.45, "45% paid"),
        ("{value:percent} paid", 0.001, "Less than 1% paid"),
        ("{value:days} ago", 1.0, "1 day ago"),
        ("{value:days} ago", 13.0, "13 days ago"),
        ("{value:days} ago", 14.0, "2 weeks ago"),
        ("{value:days} ago", 61.0, "2 months ago"),
        ("{value:days} ago", 364.0, "12 months ago"),
        ("{value:days} ago", 731.0, "2 years ago"),
        ("{value:weeks} of rent", 1.0, "1 week of rent"),
        ("Reached {value:recovery_stage}", 4.0, "Reached a summons"),
        ("Reached {value:possession_stage}", 99.0, "Reached an eviction"),
    ],
)
def test_values_are_said_as_people_say_them(template, value, said):
    assert say(template, value) == said


def test_a_known_day_is_said():
    dated = "{value:count:step:steps}; summons issued {latest:date}, then quiet"
    assert say(dated, 2, DAY) == "2 steps; summons issued 1 May 2026, then quiet"
    assert say(dated, 2) == "2 steps, then quiet"


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.0001, "fewer than 1 in 1,000"),
        (0.004, "about 4 in 1,000"),
        (0.0099, "about 1 in 100"),
        (0.0894, "about 9 in 100"),
        (0.9999, "more than 99 in 100"),
    ],
)
def test_a_probability_is_said_as_so_many_in_so_many(probability, said):
    assert wording.in_100(probability) == said


@pytest.fixture(scope="module")
def writer() -> ReasonWriter:
    """Return the writer of a model that has every feature of the catalogue."""
    facts = tuple(FACTS.values())
    info = replace(samples.info("logistic"), features=tuple(FACTS))
    terms = tuple(Term(fact.name, impute=0.0, linear=0.0, when_missing=0.0) for fact in facts)
    spoken_of = tuple(GROUPS[key] for key in GROUPS if key in {fact.group for fact in facts})
    model = ServedModel(info, SplineLogistic(0.0, terms), Calibration(), facts, spoken_of)
    return ReasonWriter(model)


def check(sentence: str, longest: int = 160) -> None:
    """Check one whole sentence as an officer would read it."""
    assert PLAIN.match(sentence), sentence
    assert len(sentence) <= longest, sentence
    for wrong in (ONE_OF_MANY, NOT_NUMBERS, CAUSE, ABUSE, PROTECTED):
        assert not wrong.search(sentence.replace("due to end", "")), sentence


def test_every_reason_can_be_said_of_any_value_known_or_not_dated_or_not(writer: ReasonWriter):
    places = {group.key: place for place, group in enumerate(writer.groups)}
    for place, fact in enumerate(FACTS.values()):
        for value in (*VALUES, math.nan):
            if not math.isnan(value) and not template_for(fact, value):
                continue  # a feature without a sentence for its value never speaks
            for latest in (None, DAY, date(1, 1, 1), date(9999, 12, 31)):
                check(writer.sentence(places[fact.group], place, value, latest))


def test_every_group_can_be_said_without_a_fact_and_all_others_in_any_number(writer: ReasonWriter):
    for place in range(len(writer.groups)):
        check(writer.sentence(place, NOBODY, math.nan))
        check(writer.others([place], 0.1).sentence)
    check(writer.others(range(len(writer.groups)), -0.1).sentence)


def test_whatever_is_not_known_can_be_said(writer: ReasonWriter):
    row = np.zeros(len(FACTS))
    assert writer.unknowns(row) == ()
    missing = [np.where(np.arange(len(row)) == place, np.nan, row) for place in range(len(row))]
    missing += [
        np.where([fact.group == group.key for fact in FACTS.values()], np.nan, row)
        for group in writer.groups
    ]
    said = {sentence for each in (*missing, row * np.nan) for sentence in writer.unknowns(each)}
    assert len(said) >= len(writer.groups) / 2
    for sentence in said:
        check(sentence)


def test_every_change_can_be_said_of_any_value_and_any_estimate(writer: ReasonWriter):
    said = 0
    for place, fact in enumerate(FACTS.values()):
        for value in VALUES:
            aim = target(fact, value)
            if aim is None:
                continue
            row = np.full(len(FACTS), value)
            for before, after in ((0.0, -1.0), (40.0, -40.0), (-2.0, -9.0)):
                change = _change(writer, row, before, after, _Try(0, {place: aim}), -5.0)
                check(change.sentence, longest=260)
                said += 1
    assert said > 100


def test_no_record_behind_a_reason_is_told_in_words_that_must_not_be_used():
    for table, column in (
        ("council_tax_transactions", "kind"), ("council_tax_recovery", "stage"),
        ("rent_transactions", "kind"), ("tenancy_events", "kind"), ("benefits", "kind"),
        ("council_tax_accounts", "payment_method"), ("tenancies", "landlord"),
        ("tenancy_people", "relationship"), ("council_tax_people", "role"),
    ):  # fmt: skip
        for code in TABLES[table].column(column).codes:
            for ended, amount in ((False, None), (True, 0), (False, -1), (True, 10**14)):
                check(words_for(table, code, amount, ended=ended))
