"""What a household page says, put into words from what casework returned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from earlyflag.casework.households import HouseholdView, ScoreView
from earlyflag.core.terms import Band, Direction, Evidence, Reason
from earlyflag.store.records import Flag
from earlyflag.store.terms import FlagState
from earlyflag.web import charts
from earlyflag.web.pages.codes import (
    CHANNELS,
    DECISIONS,
    DUTIES,
    HELPED,
    OBJECTIONS,
    ORIGINS,
    OUTCOMES,
    RESULTS,
    STATES,
)
from earlyflag.web.pages.reports import Table
from earlyflag.web.wording import BANDS, day, in_hundred, moment, percent, pounds, words

MOST_EVENTS = 60
MAIN_REASONS = 6


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason: its sentence, which way and how much it moved the score, its evidence."""

    sentence: str
    title: str
    effect: str
    lowers: bool
    evidence: Table | None


@dataclass(frozen=True, slots=True)
class ScorePart:
    """The score in words and number, with its reasons."""

    reasons: tuple[ReasonLine, ...]
    smaller: tuple[ReasonLine, ...]
    chart: Markup
    table: Table
    unknowns: tuple[str, ...]
    changes: tuple[str, ...]
    band: Band
    sentence: str
    comparison: str
    caution: str
    made_by: str
    as_of: date


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of the timeline."""

    day: str
    title: str
    text: str
    amount: str
    source: str
    sort_key: date


def effect_of(reason: Reason) -> str:
    """Return which way and how strongly a reason moved the score; its figure is in the table."""
    size = abs(reason.contribution)
    strength = "a little" if size < 0.2 else "somewhat" if size < 0.7 else "strongly"
    verb = "Raised" if reason.direction is Direction.RAISES else "Lowered"
    return f"{verb} the score {strength}"


def _evidence(reason: Reason, rows: tuple[Evidence, ...]) -> Table | None:
    if not rows:
        return None
    return Table(
        f"Records behind “{reason.title}”",
        ("Date", "What the record says", "Amount", "Recorded on", "Record"),
        tuple(
            (
                day(row.happened_on),
                row.text,
                pounds(row.amount_pence),
                day(row.known_on),
                f"{words(row.table)} {row.reference}",
            )
            for row in rows
        ),
        numeric=frozenset({2}),
    )


def caution_of(score: ScoreView, card: Mapping[str, Any]) -> str:
    """Return what is said of a chance above all that were held against what came of them.

    The figure itself stays the score's own, on the page as in the API. Blank where the chance is
    not above them, or where the card is another version's.

    Parameters
    ----------
    card : the published model card
    """
    top = card.get("highest_checked")
    if not isinstance(top, Mapping) or card.get("version") != score.run.model.version:
        return ""
    if not top or score.line.probability <= float(top["expected"]):
        return ""
    ends = [f"{100 * float(one):.0f}" for one in (top.get("low"), top.get("high")) if one]
    between = f" ({' to '.join(ends)} in 100)" if len(ends) == 2 else ""
    return (
        "Few households score this high, so the figure is less sure than lower ones: of those "
        f"scored highest when the model was tested, {in_hundred(float(top['observed']))} were "
        f"owed a duty{between}."
    )


def score_part(score: ScoreView, card: Mapping[str, Any]) -> ScorePart:
    """Return a score as the page says it: sentences, a drawing, the same as a table."""
    line, model = score.line, score.run.model
    reasons = sorted(score.reasons, key=lambda r: abs(r.contribution), reverse=True)
    months = model.horizon_months
    chance = in_hundred(line.probability)
    subject = chance[:1].upper() + chance[1:]
    lines = tuple(
        ReasonLine(
            reason.sentence,
            reason.title,
            effect_of(reason),
            reason.direction is Direction.LOWERS,
            _evidence(reason, reason.evidence),
        )
        for reason in reasons
    )
    return ScorePart(
        reasons=lines[:MAIN_REASONS],
        smaller=lines[MAIN_REASONS:],
        chart=charts.bars(
            "reasons",
            "How much each reason raised or lowered the score",
            [charts.Bar(r.title, r.contribution, f"{r.contribution:+.2f}") for r in reasons],
            signed=True,
        ),
        table=Table(
            "How much each reason raised or lowered the score",
            ("Reason", "Effect on the score (log-odds)"),
            (
                ("Where every household starts", f"{line.base_log_odds:+.3f}"),
                *((reason.title, f"{reason.contribution:+.3f}") for reason in reasons),
                ("Together, the score", f"{line.log_odds:+.3f}"),
            ),
            numeric=frozenset({1}),
        ),
        unknowns=score.unknowns,
        changes=tuple(change.sentence for change in score.changes),
        band=line.band,
        sentence=f"{subject} households like this are owed a homelessness duty within "
        f"{months} months ({percent(line.probability)}).",
        comparison=f"For the borough as a whole it is {in_hundred(model.base_rate)} "
        f"({percent(model.base_rate)}).",
        caution=caution_of(score, card),
        made_by=line.model_version,
        as_of=line.as_of,
    )


def history_part(view: HouseholdView) -> tuple[Markup, Table | None]:
    """Return the score's history as a line and as a table; newest first in the table."""
    if not view.history:
        return Markup(""), None
    oldest_first = list(reversed(view.history))
    drawing = charts.line(
        "history",
        "The score over time",
        [
            charts.Bar(f"{s.as_of:%b %Y}", s.probability, percent(s.probability))
            for s in oldest_first
        ],
    )
    rows = tuple(
        (day(s.as_of), BANDS[s.band], percent(s.probability), s.model_version) for s in view.history
    )
    headings = ("Data date", "Band", "Chance", "Model version")
    return drawing, Table("Scores so far", headings, rows, frozenset({2}))


def timeline_part(view: HouseholdView, staff: Mapping[str, str]) -> tuple[EventLine, ...]:
    """Return everything dated about a household, newest first."""
    lines = [
        EventLine(
            day(event.happened_on),
            words(event.kind),
            event.text,
            pounds(event.amount_pence),
            words(event.source),
            event.happened_on,
        )
        for event in view.timeline
    ]
    lines += _casework_lines(view, staff)
    return tuple(sorted(lines, key=lambda line: line.sort_key, reverse=True)[:MOST_EVENTS])


def _casework_lines(view: HouseholdView, staff: Mapping[str, str]) -> list[EventLine]:
    def by(account: str | None) -> str:
        return staff.get(account or "", "") or "the team"

    lines = [
        EventLine(
            moment(d.decided_at),
            f"Decision: {DECISIONS[d.code]}",
            d.reason,
            "",
            by(d.decided_by),
            d.decided_at.date(),
        )
        for d in view.decisions
    ]
    lines += [
        EventLine(
            day(c.happened_on),
            f"Contact: {CHANNELS[c.channel]}, {RESULTS[c.result].lower()}",
            c.note,
            "",
            by(c.recorded_by),
            c.happened_on,
        )
        for c in view.contacts
    ]
    lines += [
        EventLine(
            moment(o.recorded_at),
            f"Outcome: {OUTCOMES[o.outcome]}",
            f"Helped: {HELPED[o.helped].lower()}. Duty: {DUTIES[o.duty].lower()}. {o.note}",
            "",
            by(o.recorded_by),
            o.recorded_at.date(),
        )
        for o in view.outcomes
    ]
    lines += [
        EventLine(
            moment(o.recorded_at),
            "The household said",
            f"{OBJECTIONS[o.kind]}. {o.statement}",
            "",
            by(o.recorded_by),
            o.recorded_at.date(),
        )
        for o in view.objections
    ]
    return lines


def flags_part(flags: tuple[Flag, ...], staff: Mapping[str, str]) -> Table | None:
    """Return the household's flags, newest first, as a table."""
    if not flags:
        return None
    return Table(
        "Flags of this household",
        ("Raised", "Raised by", "State", "Decision", "Assigned to"),
        tuple(
            (
                day(flag.raised_at),
                ORIGINS[flag.origin],
                STATES[flag.state],
                DECISIONS[flag.decision_code] if flag.decision_code else "None yet",
                staff.get(flag.assignee_id or "", "Nobody"),
            )
            for flag in sorted(flags, key=lambda f: f.raised_at, reverse=True)
        ),
    )


ENDED = (FlagState.CLOSED, FlagState.LAPSED, FlagState.WITHDRAWN)


def current_flag(flags: tuple[Flag, ...]) -> Flag | None:
    """Return the flag to work on: the newest that has not ended, else the newest closed one."""
    newest = sorted(flags, key=lambda f: f.raised_at, reverse=True)
    live = [flag for flag in newest if flag.state not in ENDED]
    closed = [flag for flag in newest if flag.state is FlagState.CLOSED]
    return next(iter(live or closed), None)
