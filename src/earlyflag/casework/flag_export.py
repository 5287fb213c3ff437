"""Flags as a file for a case system: what the reader may see, suppressed households left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action, Field, Fields
from earlyflag.casework.rules import check_may
from earlyflag.casework.withholding import withhold, withhold_household
from earlyflag.store.flags import FlagFilter
from earlyflag.store.records import Flag
from earlyflag.store.terms import Tray

BATCH = 200


@dataclass(frozen=True, slots=True)
class ExportedFlag:
    """One line of an export; what the reader may not see is empty."""

    flag_id: str
    household_id: str
    as_of: date
    state: str
    origin: str
    band: str
    first_reason: str
    second_reason: str
    decision_code: str
    next_action: str
    next_action_on: date
    ward_code: str
    tenure: str
    uprn: str
    account_refs: str
    tenancy_refs: str
    name: str
    address: str


def export_flags(desk: Desk, wanted: FlagFilter | None = None) -> list[ExportedFlag]:
    """Return the flags of a filter for a case system; the export is audited, flag by flag.

    Households that are suppressed or need safe contact are never exported, whoever asks.

    Raises
    ------
    NotAllowed
        The reader may not export.
    """
    fields = check_may(desk.actor, Action.EXPORT_FLAGS)
    withheld = desk.unit.suppressions.households_on(desk.today)
    lines: list[ExportedFlag] = []
    cursor = None
    while True:
        page = desk.unit.flags.page(
            wanted or FlagFilter(tray=Tray.ALL),
            today=desk.today,
            with_safe_contact=False,
            cursor=cursor,
            limit=BATCH,
        )
        lines += [
            _line(desk, flag, fields)
            for flag in page.flags
            if flag.household_id not in withheld and not flag.safe_contact
        ]
        cursor = page.next_cursor
        if cursor is None:
            return lines


def _line(desk: Desk, flag: Flag, fields: Fields) -> ExportedFlag:
    entry = desk.entry("flag_exported", household_id=flag.household_id, subject=flag.flag_id)
    record = desk.unit.borough.household(flag.household_id, entry)
    shown = withhold(flag, fields)
    home = withhold_household(record, fields) if record else None
    members = home.members if home and Field.NAME in fields else ()
    return ExportedFlag(
        flag_id=shown.flag_id,
        household_id=shown.household_id,
        as_of=shown.as_of,
        state=shown.state,
        origin=shown.origin,
        band=shown.band,
        first_reason=shown.first_reason,
        second_reason=shown.second_reason,
        decision_code=shown.decision_code or "",
        next_action=shown.next_action,
        next_action_on=shown.next_action_on,
        ward_code=shown.ward_code or "",
        tenure=shown.tenure,
        uprn=(home.uprn or "") if home else "",
        account_refs=" ".join(home.account_refs) if home else "",
        tenancy_refs=" ".join(home.tenancy_refs) if home else "",
        name=members[0].name if members else "",
        address=home.address if home else "",
    )
