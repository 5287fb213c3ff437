"""The codes that stand in the casework tables, each written once."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person of the council is at work for."""

    OFFICER = "officer"
    REVIEWER = "reviewer"
    MANAGER = "manager"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """What is granted to a person by name, beside the roles."""

    SAFE_CONTACT = "safe_contact"


class ActorKind(StrEnum):
    """Who acts: a person, a machine with a key, or the service's own commands."""

    PERSON = "person"
    MACHINE = "machine"
    SYSTEM = "system"


class Scope(StrEnum):
    """What a machine key may do."""

    FLAGS_READ = "flags:read"
    FLAGS_WRITE = "flags:write"
    HOUSEHOLDS_READ = "households:read"
    SCORE = "score"
    ALERTS_WRITE = "alerts:write"
    MODELS_READ = "models:read"
    EXPORT = "export"


class FlagState(StrEnum):
    """Where a flag stands in the case life; the moves are `casework.transitions`."""

    HELD_BACK = "held_back"
    WAITING = "waiting"
    ASSIGNED = "assigned"
    PAUSED = "paused"
    WATCHING = "watching"
    OFFERED = "offered"
    DECIDED = "decided"
    CLOSED = "closed"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


LIVE_STATES = (
    FlagState.HELD_BACK,
    FlagState.WAITING,
    FlagState.ASSIGNED,
    FlagState.PAUSED,
    FlagState.WATCHING,
    FlagState.OFFERED,
)


class FlagOrigin(StrEnum):
    """Why a flag was raised."""

    TOP = "top"
    EXPLORE = "explore"
    ALERT = "alert"


class Arm(StrEnum):
    """The arm of the pilot a household is in."""

    OFFER = "offer"
    HOLDBACK = "holdback"


class Tray(StrEnum):
    """A worktray: what a list of flags is for."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    PAUSED = "paused"
    DECIDED = "decided"
    ALL = "all"


class FlagSort(StrEnum):
    """How a worktray is ordered."""

    RANK = "rank"
    RAISED = "raised"
    NEXT_ACTION = "next_action"


class DecisionCode(StrEnum):
    """What a reviewer decided about a flag."""

    OFFER_HELP = "offer_help"
    ALREADY_KNOWN = "already_known"
    NO_CONTACT_DETAILS = "no_contact_details"
    DECLINED = "declined"
    NO_CONSENT = "no_consent"
    NOT_APPROPRIATE = "not_appropriate"
    WRONG_HOUSEHOLD = "wrong_household"
    SAFE_CONTACT_NEEDED = "safe_contact_needed"
    WATCH_UNTIL = "watch_until"


class AssessmentWhy(StrEnum):
    """Why a reviewer agrees or disagrees with a flag; kept for the analysts."""

    REASONS_MATCH = "reasons_match"
    WORSE_THAN_SHOWN = "worse_than_shown"
    ALREADY_RESOLVED = "already_resolved"
    DATA_OUT_OF_DATE = "data_out_of_date"
    DATA_WRONG = "data_wrong"
    WRONG_PEOPLE = "wrong_people"
    OTHER = "other"


class ContactChannel(StrEnum):
    """How a household was reached, or not."""

    TELEPHONE = "telephone"
    TEXT = "text"
    EMAIL = "email"
    LETTER = "letter"
    VISIT = "visit"
    IN_PERSON = "in_person"
    THROUGH_PARTNER = "through_partner"


class ContactResult(StrEnum):
    """What came of an attempt to reach a household."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    MESSAGE_LEFT = "message_left"
    WRONG_DETAILS = "wrong_details"
    REFUSED = "refused"
    ASKED_TO_STOP = "asked_to_stop"
    CALL_BACK_AGREED = "call_back_agreed"


class Helped(StrEnum):
    """Whether the offer was taken up and worked."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    NOT_KNOWN = "not_known"


class OutcomeCode(StrEnum):
    """Where the household stood when the work ended."""

    STAYED_HOME = "stayed_home"
    MOVED_PLANNED = "moved_planned"
    LOST_HOME = "lost_home"
    LOST_CONTACT = "lost_contact"
    NOT_KNOWN = "not_known"


class DutyOwed(StrEnum):
    """The homelessness duty that followed, if one did."""

    NONE = "none"
    PREVENTION = "prevention"
    RELIEF = "relief"
    NOT_KNOWN = "not_known"


class OfferState(StrEnum):
    """How far an offer of help has come."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    STARTED = "started"
    COMPLETED = "completed"


class Purpose(StrEnum):
    """Why somebody opens a household that is not in their own work."""

    OWN_WORK = "own_work"
    HOUSEHOLD_ASKED = "household_asked"
    PARTNER_REFERRAL = "partner_referral"
    SAFEGUARDING = "safeguarding"
    SUPERVISION = "supervision"
    COMPLAINT_OR_REQUEST = "complaint_or_request"
    CASE_SYSTEM = "case_system"
    ANALYSIS = "analysis"


class SuppressionKind(StrEnum):
    """Why a household is left out; `safe_contact` alone is still flagged, to a few."""

    OBJECTION = "objection"
    SAFE_CONTACT = "safe_contact"
    DECEASED = "deceased"
    STAFF_MEMBER = "staff_member"
    LEGAL_HOLD = "legal_hold"


class ObjectionKind(StrEnum):
    """What a household says about being flagged."""

    CONTEST = "contest"
    OBJECTION = "objection"


class ObjectionState(StrEnum):
    """How far an objection has come."""

    OPEN = "open"
    UPHELD = "upheld"
    NOT_UPHELD = "not_upheld"


class AlertSource(StrEnum):
    """Who reported that a tenant is struggling."""

    LANDLORD = "landlord"
    AGENT = "agent"
    PARTNER = "partner"
    OFFICER = "officer"


class AlertState(StrEnum):
    """Whether an alert found its household."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    DISMISSED = "dismissed"


class PanelState(StrEnum):
    """How far a list for a multi-agency meeting has come."""

    DRAFT = "draft"
    COUNTERSIGNED = "countersigned"
    CLOSED = "closed"


class PanelActionState(StrEnum):
    """Whether an action agreed at a meeting is done."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class Barrier(StrEnum):
    """What stands in a household's way, counted over a meeting's list."""

    RENT_ARREARS = "rent_arrears"
    COUNCIL_TAX_ARREARS = "council_tax_arrears"
    BENEFIT_SHORTFALL = "benefit_shortfall"
    NOTICE_SERVED = "notice_served"
    OVERCROWDING = "overcrowding"
    DISREPAIR = "disrepair"
    NO_ENGAGEMENT = "no_engagement"
    HEALTH_OR_CARE = "health_or_care"
    OTHER = "other"


class DocumentKind(StrEnum):
    """A read model that the pipeline publishes for a page."""

    CAPACITY = "capacity"
    PILOT = "pilot"
    MONITORING = "monitoring"
    MODEL_CARD = "model_card"
    CATALOGUE = "catalogue"
    MODEL_CHANGES = "model_changes"
    BOROUGH = "borough"
