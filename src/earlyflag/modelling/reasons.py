"""Reasons in plain words: contributions gathered by group, and a sentence that carries each.

Every feature belongs to exactly one group, so the groups' contributions and the base add up to
the log-odds just as the features' do. Of a group, the feature speaks that moved the score most in
the group's direction, its leads counting double; where that is a value that is not known, the
reason says so. What the sentences are stands in the catalogue; nothing here names a feature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import numpy as np

from earlyflag.core.terms import Direction, Evidence, Reason
from earlyflag.modelling.served import FeatureFacts, GroupFacts, ServedModel
from earlyflag.modelling.wording import count, day, say

OTHERS = "others"
"""The key of the reason that gathers what is not said one by one."""

LEAD_WEIGHT = 2.0
"""How many times more than another feature a lead of its group counts when one is to speak."""

TIME_SINCE = "days"
"""The unit of a feature whose missing value means that something never happened."""

STAGE = "rank"
"""The unit of a feature that names the furthest stage that was reached in a window."""

EVENT_UNITS = ("count", STAGE)
"""Units of features that count events, or name the furthest of them, in a window."""

NOBODY = -1
"""No feature of the group has a sentence for its value."""

SENTENCES_KEPT = 50_000
"""Sentences remembered at once; a borough says the same things many times over."""


_Said = tuple[int, float | None, date | None]
"""The feature that speaks, its value (None: not known) and the newest evidence's day."""


@dataclass(slots=True)
class ReasonWriter:
    """Writes the reasons of one model's scores.

    Attributes
    ----------
    columns : the places of each group's features, in the order of `groups`
    leads : the places of each group's leading features, best first
    feature_names : each group's features by name
    actionable : the places of the actionable features of each group that has any, leads first
    """

    model: ServedModel
    groups: tuple[GroupFacts, ...] = field(init=False)
    columns: tuple[np.ndarray, ...] = field(init=False)
    leads: tuple[np.ndarray, ...] = field(init=False)
    feature_names: tuple[tuple[str, ...], ...] = field(init=False)
    actionable: tuple[tuple[int, ...], ...] = field(init=False)
    _orders: tuple[np.ndarray, ...] = field(init=False)
    _can_say: np.ndarray = field(init=False)
    _sentences: dict[_Said, str] = field(init=False, default_factory=dict)
    _unknowns: dict[bytes, tuple[str, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        places = {fact.name: place for place, fact in enumerate(self.model.features)}
        self.groups = self.model.groups
        self.columns = tuple(
            np.array([places[f.name] for f in self.model.features if f.group == group.key])
            for group in self.groups
        )
        self.leads = tuple(
            np.array([places[lead] for lead in group.leads if lead in places], dtype=np.int64)
            for group in self.groups
        )
        self.feature_names = tuple(
            tuple(self.model.features[place].name for place in own) for own in self.columns
        )
        self._orders = tuple(
            np.concatenate([leads, np.setdiff1d(own, leads)])
            for own, leads in zip(self.columns, self.leads, strict=True)
        )
        actionable = (
            tuple(place for place in order.tolist() if self.model.features[place].actionable)
            for order in self._orders
        )
        self.actionable = tuple(places for places in actionable if places)
        self._can_say = np.array(
            [
                [bool(template_for(fact, sign)) for fact in self.model.features]
                for sign in (-1.0, 0.0, 1.0)
            ]
        )

    def totals(self, contributions: np.ndarray) -> np.ndarray:
        """Return each group's contribution, shape (n_rows, n_groups), from those of features."""
        return np.stack([contributions[:, own].sum(axis=1) for own in self.columns], axis=1)

    def speakers(
        self, rows: np.ndarray, contributions: np.ndarray, totals: np.ndarray
    ) -> np.ndarray:
        """Return which feature speaks for each group of each row, shape (n_rows, n_groups).

        `NOBODY` where no feature of the group has a sentence for its value.
        """
        result = np.full(totals.shape, NOBODY, dtype=np.int64)
        everyone = np.arange(len(rows))
        sayable = self._sayable(rows)
        raises = np.where(totals > 0, 1.0, -1.0)
        for group, order in enumerate(self._orders):
            n_leads = len(self.leads[group])
            push = contributions[:, order] * raises[:, [group]]
            push[:, :n_leads] *= np.where(push[:, :n_leads] > 0, LEAD_WEIGHT, 1.0)
            can_say = sayable[:, order]
            best = np.where(can_say, push, -np.inf).argmax(axis=1)
            said = can_say[everyone, best]
            result[said, group] = order[best[said]]
        return result

    def _sayable(self, rows: np.ndarray) -> np.ndarray:
        """Return which features have something to say of their value, shape of `rows`.

        Not knowing can always be said.
        """
        below, zero, above = self._can_say
        known = np.where(rows > 0, above, np.where(rows == 0, zero, below))
        return np.isnan(rows) | known

    def reason(
        self,
        group: int,
        speaker: int,
        value: float,
        contribution: float,
        by_feature: Mapping[str, Sequence[Evidence]] | None = None,
    ) -> Reason:
        """Return one group's reason.

        Parameters
        ----------
        group : the group's place in `groups`
        speaker : the place of the feature that speaks, or `NOBODY`
        value : the speaker's value; NaN where it is not known
        contribution : the group's, in calibrated log-odds
        by_feature : the dated rows behind the household's features
        """
        names, latest = self.feature_names[group], None
        if by_feature and speaker != NOBODY:
            fact = self.model.features[speaker]
            latest = _newest(fact, value, by_feature.get(fact.name, ()))
        return Reason(
            self.groups[group].key,
            self.groups[group].title,
            self.sentence(group, speaker, value, latest),
            Direction.RAISES if contribution > 0 else Direction.LOWERS,
            contribution,
            names,
            evidence_of(names, by_feature) if by_feature else (),
        )

    def sentence(self, group: int, speaker: int, value: float, latest: date | None = None) -> str:
        """Return what is said of a group where `speaker` has `value`."""
        if speaker == NOBODY:
            return f"{self.groups[group].title}: no single fact stands out"
        is_known = value == value  # noqa: PLR0124 - the quickest test for NaN
        key = (speaker, value if is_known else None, latest)
        said = self._sentences.get(key)
        if said is None:
            if len(self._sentences) >= SENTENCES_KEPT:
                self._sentences.clear()
            said = self._say(group, self.model.features[speaker], value, latest)
            self._sentences[key] = said
        return said

    def others(self, groups: Sequence[int], contribution: float) -> Reason:
        """Return the one reason that gathers the groups that are not said one by one."""
        return Reason(
            OTHERS,
            "Everything else",
            f"{count(len(groups), 'other reason', 'other reasons')} taken together",
            Direction.RAISES if contribution > 0 else Direction.LOWERS,
            contribution,
            tuple(name for group in groups for name in self.feature_names[group]),
        )

    def unknowns(self, row: np.ndarray) -> tuple[str, ...]:
        """Return what is not known about a household, one sentence each, from its features."""
        missing = np.isnan(row)
        key = missing.tobytes()
        if key not in self._unknowns:
            said = dict.fromkeys(self._not_known(missing.tolist()))
            self._unknowns[key] = tuple(sentence for sentence in said if sentence)
        return self._unknowns[key]

    def _not_known(self, missing: list[bool]) -> Iterator[str]:
        """Say of each group whose leads are all missing that it is not known.

        That nothing ever happened (no time since it) is known, and not said here.
        """
        features = self.model.features
        for group, own, leads in zip(self.groups, self.columns, self.leads, strict=True):
            telling = [
                place
                for place in (leads if len(leads) else own).tolist()
                if features[place].unit != TIME_SINCE
            ]
            if telling and all(missing[place] for place in telling):
                if all(missing[place] for place in own.tolist()):
                    yield group.missing or f"{group.title}: not known"
                else:
                    yield features[telling[0]].sentence_missing or group.missing

    def _say(self, group: int, fact: FeatureFacts, value: float, latest: date | None) -> str:
        if np.isnan(value):
            missing = fact.sentence_missing or self.groups[group].missing
            return missing or f"{self.groups[group].title}: not known"
        template = template_for(fact, value)
        # "Is £10 ahead": the sentence for values below 0 says the direction, the figure the size.
        size = abs(value) if template and template == fact.sentence_negative else value
        said = say(template, size, latest)
        if latest is None or value <= 0 or not _counts_events(fact) or "{latest" in template:
            return said
        return f"{said}; latest {day(latest)}"


@lru_cache(maxsize=4)
def writer_of(model: ServedModel) -> ReasonWriter:
    """Return the writer of a model; one that serves keeps it, with the sentences it has said."""
    return ReasonWriter(model)


def template_for(fact: FeatureFacts, value: float) -> str:
    """Return the sentence that a feature has for a known value; blank if it has none."""
    if value > 0 or not (fact.sentence_zero or fact.sentence_negative):
        return fact.sentence
    return fact.sentence_zero if value == 0 else fact.sentence_negative


def _counts_events(fact: FeatureFacts) -> bool:
    """Return whether a feature looks back over dated events, so that the newest has a day."""
    return fact.window_months is not None and fact.unit in EVENT_UNITS


def _newest(fact: FeatureFacts, value: float, rows: Sequence[Evidence]) -> date | None:
    """Return the day of the newest row that a sentence on `value` speaks of; None if none does.

    Of a stage these are the rows of that very stage. Of a count they are all, where there are as
    many as are counted: then they are the events, without others around them.
    """
    if fact.unit == STAGE:
        rows = [row for row in rows if row.rank == value]
    elif len(rows) != value:
        return None
    return max((row.happened_on for row in rows), default=None)


def evidence_of(
    names: Sequence[str], by_feature: Mapping[str, Sequence[Evidence]]
) -> tuple[Evidence, ...]:
    """Return the evidence rows of several features, each row once, the newest first."""
    rows = dict.fromkeys(row for name in names for row in by_feature.get(name, ()))
    return tuple(sorted(rows, key=lambda row: (row.happened_on, row.reference), reverse=True))
