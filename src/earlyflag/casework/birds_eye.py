"""All multi-agency meetings from above: barriers, outcomes and actions, in counts alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.store.terms import Barrier, Helped, OutcomeCode, PanelActionState


@dataclass(frozen=True, slots=True)
class BirdsEye:
    """Barriers, outcomes and actions over all meetings, in counts; small counts are left out.

    Attributes
    ----------
    outcomes : where the households of lists stood when work on them ended, the last word of each
    helped : whether the help worked, as of the same
    """

    households: int
    barriers: dict[str, int | None]
    outcomes: dict[str, int | None]
    helped: dict[str, int | None]
    actions: dict[str, int | None]
    overdue: int | None


def birds_eye(desk: Desk) -> BirdsEye:
    """Return barriers, outcomes and actions over all meetings in counts, small ones left out."""
    check_may(desk.actor, Action.READ_FIGURES)
    limit, safe = desk.rules.disclosure_limit, desk.actor.sees_safe_contact
    panels = desk.unit.panels
    barriers = Counter(code for found in panels.barriers(with_safe_contact=safe) for code in found)
    actions = panels.actions(with_safe_contact=safe)
    states = Counter(action.state.value for action in actions)
    ended = panels.outcomes(with_safe_contact=safe)
    outcomes = Counter(outcome for outcome, _ in ended)
    helped = Counter(how for _, how in ended)
    overdue = sum(a.state is PanelActionState.OPEN and a.due_on < desk.today for a in actions)
    return BirdsEye(
        households=panels.count_items(with_safe_contact=safe),
        barriers={barrier.value: _shown(barriers[barrier.value], limit) for barrier in Barrier},
        outcomes={one.value: _shown(outcomes[one.value], limit) for one in OutcomeCode},
        helped={one.value: _shown(helped[one.value], limit) for one in Helped},
        actions={state.value: _shown(states[state.value], limit) for state in PanelActionState},
        overdue=_shown(overdue, limit),
    )


def _shown(count: int, limit: int) -> int | None:
    """Return a count, or None where it is small enough to point at somebody."""
    return None if 0 < count < limit else count
