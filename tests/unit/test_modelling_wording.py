"""Every sentence of the catalogue can be said of any value, in plain and careful words."""

from __future__ import annotations

import math
import re
from datetime import date

import pytest

from earlyflag.features import CATALOGUE
from earlyflag.features import GROUPS as DECLARED_GROUPS
from earlyflag.features.declare import FORMATS, placeholders
from earlyflag.features.families.council_tax_recovery import STAGES
from earlyflag.features.families.tenancy_steps import STEPS
from earlyflag.modelling import wording
from earlyflag.modelling.artefact import feature_facts, group_facts
from earlyflag.modelling.reasons import template_for
from earlyflag.modelling.wording import say, spoken

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
    r"civil partner\w*|divorc\w+|gay|lesbian|bisexual|trans(?:gender)?|sexual\w*)\b",
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
    for sentence in [*said_of(fact), fact.title]:
        for banned in (CAUSE, ABUSE, PROTECTED):
            assert not banned.search(sentence.replace("due to end", "")), sentence


def test_the_banned_words_are_found_where_they_stand():
    assert CAUSE.search("Arrears caused the score")
    assert ABUSE.search("Fled domestic abuse")
    for sentence in ("The person is under 25", "A disabled band", "Two women", "She is pregnant"):
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
