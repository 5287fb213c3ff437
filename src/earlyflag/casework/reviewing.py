"""Review why people opened households outside their own work."""

from __future__ import annotations

from earlyflag.casework.desk import Desk
from earlyflag.casework.households import known_households
from earlyflag.casework.permissions import Action, Field
from earlyflag.casework.rules import check_may
from earlyflag.casework.withholding import withhold_all
from earlyflag.core.errors import InputInvalid, NotFound
from earlyflag.store.records import StatedPurpose


def lookups_to_review(desk: Desk, *, limit: int = 50) -> list[StatedPurpose]:
    """Return stated purposes that nobody has reviewed, newest first; the read is audited.

    Those who see cases are shown none of a household that does not exist for them; an auditor,
    who reads the log with every pseudonym in it, is shown all, without the notes.
    """
    fields = check_may(desk.actor, Action.REVIEW_LOOKUPS)
    found = desk.unit.access.purposes(unreviewed=True, limit=limit)
    if Field.CASE_WORDS in fields:
        found = known_households(desk, found)
    detail = {"households": sorted({stated.household_id for stated in found})}
    desk.unit.audit.append(desk.entry("list_lookups", detail=detail))
    return list(withhold_all(found, fields))


def review_lookup(desk: Desk, purpose_id: str, finding: str) -> None:
    """Write what a review of a look-up found.

    Raises
    ------
    InputInvalid
        The finding is blank.
    NotFound
        There is no such look-up for this actor.
    """
    fields = check_may(desk.actor, Action.REVIEW_LOOKUPS)
    if not finding.strip():
        raise InputInvalid("Say what you found.", "finding", expected="a few words", got="nothing")
    stated = desk.unit.access.stated(purpose_id)
    if Field.CASE_WORDS in fields and not known_households(desk, [stated]):
        raise NotFound("No look-up has this reference.")
    desk.unit.access.review_purpose(
        purpose_id,
        finding.strip(),
        by=desk.actor.actor_id,
        now=desk.now,
        audit=desk.entry("lookup_reviewed", household_id=stated.household_id, subject=purpose_id),
    )
