"""What the API takes and gives. Times are RFC 3339 in UTC; days are days in London."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from earlyflag.core.terms import Band, Direction
from earlyflag.store.terms import (
    AssessmentWhy,
    ContactChannel,
    ContactResult,
    DecisionCode,
    DutyOwed,
    FlagOrigin,
    FlagState,
    Helped,
    OutcomeCode,
    Purpose,
)

Words = Annotated[str, Field(max_length=4_000)]
NOT_NUL = r"^[^\x00]*$"


class Sent(BaseModel):
    """The base of what is sent in: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Given(BaseModel):
    """The base of what is given back."""

    model_config = ConfigDict(frozen=True)


class ProblemDocument(Given):
    """RFC 9457: what went wrong, for the reader of the client's log."""

    type: str
    title: str
    status: int
    detail: str
    correlation_id: str
    errors: list[dict[str, str]] = []


class EvidenceOut(Given):
    """One dated source row behind a reason."""

    table: str
    reference: str
    happened_on: date
    known_on: date
    text: str
    amount_pence: int | None


class ReasonOut(Given):
    """Related features as one sentence; `contribution` is in log-odds and adds up."""

    key: str
    title: str
    sentence: str
    direction: Direction
    contribution: float
    features: list[str]


class ChangeOut(Given):
    """A fact that, if different, would change the score; for choosing an offer."""

    sentence: str
    features: list[str]
    probability_after: float


class ScoreOut(Given):
    """A household's newest score with its reasons.

    `base_log_odds` plus every reason's `contribution` equals `log_odds`, and the logistic of
    `log_odds` equals `probability`. The score decides no application.
    """

    household_id: str
    as_of: date
    model_version: str
    run_id: str
    horizon_months: int
    probability: float
    borough_rate: float
    log_odds: float
    base_log_odds: float
    band: Band
    rank: int
    reasons: list[ReasonOut]
    unknowns: list[str]
    changes: list[ChangeOut]
    notice: str


class HistoryPoint(Given):
    """One earlier score."""

    as_of: date
    model_version: str
    probability: float
    band: Band
    rank: int


class HistoryOut(Given):
    """Every score of a household, newest first."""

    household_id: str
    scores: list[HistoryPoint]


class ReasonEvidence(Given):
    """The records behind one reason."""

    key: str
    sentence: str
    evidence: list[EvidenceOut]


class EvidenceListOut(Given):
    """The records behind every reason of the newest score."""

    household_id: str
    as_of: date
    model_version: str
    reasons: list[ReasonEvidence]


class MemberOut(Given):
    """A person of a household, for those who may see names."""

    name: str
    role: str
    date_of_birth: date | None


class HouseholdOut(Given):
    """Who and where a household is. What the caller may not see is empty."""

    household_id: str
    as_of: date
    address: str
    postcode: str | None
    ward_code: str | None
    tenure: str
    uprn: str | None
    account_refs: list[str]
    tenancy_refs: list[str]
    members: list[MemberOut]
    suppressions: list[str]
    flag_ids: list[str]


# In full and without wildcards: at least one character that is no space, none of * % _ ?
IN_FULL = r"^[^*%_?\x00-\x1f]*[^\s*%_?\x00-\x1f][^*%_?\x00-\x1f]*$"


class ReferenceSearch(Sent):
    """A reference in full."""

    kind: Literal["uprn", "account", "tenancy"]
    reference: str = Field(min_length=1, max_length=100, pattern=IN_FULL)


class NameSearch(Sent):
    """A surname and a postcode, both in full."""

    kind: Literal["name"]
    surname: str = Field(min_length=1, max_length=100, pattern=IN_FULL)
    postcode: str = Field(min_length=1, max_length=10, pattern=IN_FULL)


SearchIn = Annotated[ReferenceSearch | NameSearch, Field(discriminator="kind")]


class FoundOut(Given):
    """One household that was found."""

    household_id: str
    address: str
    tenure: str
    needs_purpose: bool


class SearchOut(Given):
    """The households that were found. None found does not mean that nobody is at risk."""

    found: list[FoundOut]
    notice: str


class PurposeIn(Sent):
    """Why a household outside one's own work is opened."""

    # those of `casework.households.STATABLE`; the others are never chosen by anybody
    purpose: Literal[
        Purpose.HOUSEHOLD_ASKED,
        Purpose.PARTNER_REFERRAL,
        Purpose.SAFEGUARDING,
        Purpose.SUPERVISION,
        Purpose.COMPLAINT_OR_REQUEST,
    ]
    note: str = Field("", max_length=200, pattern=NOT_NUL)


class PurposeOut(Given):
    """Until when the purpose holds."""

    household_id: str
    purpose: Purpose
    expires_at: datetime


class FlagOut(Given):
    """A piece of work on one household. Send `version` back as `If-Match` to change it."""

    flag_id: str
    household_id: str
    as_of: date
    origin: FlagOrigin
    state: FlagState
    version: int
    rank: int | None
    probability: float | None
    band: Band | None
    reasons: list[str]
    ward_code: str | None
    tenure: str
    safe_contact: bool
    without_collection: bool
    assignee: str
    raised_at: datetime
    changed_at: datetime
    next_action: str
    next_action_on: date
    decision_code: DecisionCode | None


class FlagChanged(Given):
    """The change was made, and the flag is no longer one that its reader may see."""

    flag_id: str


class FlagsOut(Given):
    """One page of flags; send `next_cursor` back as `cursor` for the next."""

    flags: list[FlagOut]
    total: int
    next_cursor: str | None


class AssessmentIn(Sent):
    """Whether the flag was right, and why."""

    agrees: bool
    why: AssessmentWhy
    note: str = Field("", max_length=4_000, pattern=NOT_NUL)


class DecisionIn(Sent):
    """A decision about a flag in one's own work."""

    code: DecisionCode
    reason: str = Field(min_length=1, max_length=4_000, pattern=NOT_NUL)
    offers: list[str] = Field(default=[], max_length=20)
    watch_until: date | None = None
    assessment: AssessmentIn | None = None


class ContactIn(Sent):
    """An attempt to reach the household."""

    happened_on: date
    channel: ContactChannel
    result: ContactResult
    interpreter: str = Field("", max_length=4_000, pattern=NOT_NUL)
    adjustments: str = Field("", max_length=4_000, pattern=NOT_NUL)
    safe_channel: str = Field("", max_length=4_000, pattern=NOT_NUL)
    note: str = Field("", max_length=4_000, pattern=NOT_NUL)


class OutcomeIn(Sent):
    """Where the household stands now that the work has ended."""

    helped: Helped
    outcome: OutcomeCode
    duty: DutyOwed
    flag_was_useful: bool | None = None
    note: str = Field("", max_length=4_000, pattern=NOT_NUL)


class AssignmentIn(Sent):
    """Who is to work on the flag; without an account it is the caller's own."""

    account_id: str | None = Field(None, max_length=40, pattern=NOT_NUL)
