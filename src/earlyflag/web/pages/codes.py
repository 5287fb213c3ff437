"""The words for every code that pages show or offer to choose from."""

from __future__ import annotations

from earlyflag.store.terms import (
    AlertSource,
    AssessmentWhy,
    Barrier,
    ContactChannel,
    ContactResult,
    DecisionCode,
    DutyOwed,
    FlagOrigin,
    FlagSort,
    FlagState,
    Helped,
    ObjectionKind,
    OfferState,
    OutcomeCode,
    Permission,
    Purpose,
    Role,
    Scope,
    Tray,
)

TRAYS = {
    Tray.MINE: "My work",
    Tray.UNASSIGNED: "Unassigned",
    Tray.PAUSED: "Paused",
    Tray.DECIDED: "Decided",
    Tray.ALL: "All flags",
}
EMPTY = {
    Tray.MINE: "You have no flag to work on. Choose “Unassigned” above and take one.",
    Tray.UNASSIGNED: "Every flag has somebody. New flags come with the next monthly run, and with "
    "early alerts.",
    Tray.PAUSED: "No flag is paused.",
    Tray.DECIDED: "No flag has been decided yet.",
    Tray.ALL: "No flag has been raised yet. Flags come with the monthly run.",
}
"""What an empty list says."""
STATES = {
    FlagState.HELD_BACK: "Held back",
    FlagState.WAITING: "Waiting for somebody to take it",
    FlagState.ASSIGNED: "Assigned",
    FlagState.PAUSED: "Paused",
    FlagState.WATCHING: "Watching until a date",
    FlagState.OFFERED: "Help offered",
    FlagState.DECIDED: "Decided",
    FlagState.CLOSED: "Closed",
    FlagState.LAPSED: "Lapsed: a newer score took its place",
    FlagState.WITHDRAWN: "Withdrawn",
}
LAST_ACTIONS = {
    "raised": "Raised",
    "alert": "An early alert came",
    "release": "Released to be worked on",
    "assign": "Assigned",
    "unassign": "Given back",
    "pause": "Paused",
    "resume": "Taken up again",
    "contact": "Contact recorded",
    "offer": "Help offered",
    "watch": "Set aside to be watched",
    "decide": "Decided",
    "close": "Closed",
    "reopen": "Opened again",
    "lapse": "Lapsed",
    "withdraw": "Withdrawn",
}
NEXT_ACTIONS = {
    "take": "take the flag",
    "decide": "decide",
    "contact": "contact the household",
    "contact_again": "contact the household again",
    "record_objection": "record what the household said",
    "outcome": "record the outcome",
    "resume": "take it up again",
}
"""What a flag waits for; one that waits for nothing says nothing."""
ORIGINS = {
    FlagOrigin.TOP: "Score",
    FlagOrigin.EXPLORE: "Drawn outside the top, for learning",
    FlagOrigin.ALERT: "Early alert",
}
SORTS = {
    FlagSort.RANK: "Score, highest first",
    FlagSort.RAISED: "Oldest flag first",
    FlagSort.NEXT_ACTION: "Next action due first",
}
DECISIONS = {
    DecisionCode.OFFER_HELP: "Offer help",
    DecisionCode.ALREADY_KNOWN: "Already known to a service",
    DecisionCode.NO_CONTACT_DETAILS: "No contact details",
    DecisionCode.DECLINED: "The household declined help",
    DecisionCode.NO_CONSENT: "The household did not consent",
    DecisionCode.NOT_APPROPRIATE: "Contact is not appropriate",
    DecisionCode.WRONG_HOUSEHOLD: "Wrong household",
    DecisionCode.SAFE_CONTACT_NEEDED: "Safe contact is needed",
    DecisionCode.WATCH_UNTIL: "Watch until a date",
}
DECISION_HINTS = {
    DecisionCode.OFFER_HELP: "Choose which help below",
    DecisionCode.ALREADY_KNOWN: "Say which service in the reason",
    DecisionCode.WRONG_HOUSEHOLD: "The records belong to other people or another home",
    DecisionCode.SAFE_CONTACT_NEEDED: "Only people trained for safe contact will see the household",
    DecisionCode.WATCH_UNTIL: "The flag comes back to you on the date below",
}
ASSESSMENTS = {
    AssessmentWhy.REASONS_MATCH: "The reasons match what I know",
    AssessmentWhy.WORSE_THAN_SHOWN: "Things are worse than shown",
    AssessmentWhy.ALREADY_RESOLVED: "It has been resolved already",
    AssessmentWhy.DATA_OUT_OF_DATE: "The records are out of date",
    AssessmentWhy.DATA_WRONG: "The records are wrong",
    AssessmentWhy.WRONG_PEOPLE: "These are not the people who live there",
    AssessmentWhy.OTHER: "Another reason, in the note",
}
CHANNELS = {
    ContactChannel.TELEPHONE: "Telephone",
    ContactChannel.TEXT: "Text message",
    ContactChannel.EMAIL: "Email",
    ContactChannel.LETTER: "Letter",
    ContactChannel.VISIT: "Visit",
    ContactChannel.IN_PERSON: "In person at an office",
    ContactChannel.THROUGH_PARTNER: "Through a partner",
}
RESULTS = {
    ContactResult.REACHED: "Reached",
    ContactResult.NO_ANSWER: "No answer",
    ContactResult.MESSAGE_LEFT: "Message left",
    ContactResult.WRONG_DETAILS: "The details are wrong",
    ContactResult.REFUSED: "Did not want to talk",
    ContactResult.ASKED_TO_STOP: "Asked us to stop",
    ContactResult.CALL_BACK_AGREED: "Agreed to talk another time",
}
HELPED = {
    Helped.YES: "Yes",
    Helped.PARTLY: "In part",
    Helped.NO: "No",
    Helped.NOT_KNOWN: "Not known",
}
OUTCOMES = {
    OutcomeCode.STAYED_HOME: "Stayed in their home",
    OutcomeCode.MOVED_PLANNED: "Moved as planned",
    OutcomeCode.LOST_HOME: "Lost their home",
    OutcomeCode.LOST_CONTACT: "We lost contact",
    OutcomeCode.NOT_KNOWN: "Not known",
}
DUTIES = {
    DutyOwed.NONE: "None",
    DutyOwed.PREVENTION: "Prevention duty",
    DutyOwed.RELIEF: "Relief duty",
    DutyOwed.NOT_KNOWN: "Not known",
}
YES_NO = {"yes": "Yes", "no": "No"}
USEFUL = {"yes": "Yes", "no": "No", "not_known": "I cannot say"}
PURPOSES = {
    Purpose.OWN_WORK: "In my own work",
    Purpose.HOUSEHOLD_ASKED: "The household asked for help",
    Purpose.PARTNER_REFERRAL: "A partner referred the household",
    Purpose.SAFEGUARDING: "Somebody may be at risk of harm",
    Purpose.SUPERVISION: "I supervise the work on it",
    Purpose.COMPLAINT_OR_REQUEST: "A complaint or a request about their data",
    Purpose.CASE_SYSTEM: "A case system asked",
    Purpose.ANALYSIS: "Analysis under pseudonyms",
}
OBJECTIONS = {
    ObjectionKind.CONTEST: "They say that the flag or a fact is wrong",
    ObjectionKind.OBJECTION: "They do not want to be scored or contacted",
}
ALERT_SOURCES = {
    AlertSource.LANDLORD: "Landlord",
    AlertSource.AGENT: "Letting agent",
    AlertSource.PARTNER: "Partner organisation",
    AlertSource.OFFICER: "Council officer",
}
BARRIERS = {
    Barrier.RENT_ARREARS: "Rent arrears",
    Barrier.COUNCIL_TAX_ARREARS: "Council tax arrears",
    Barrier.BENEFIT_SHORTFALL: "Benefit does not cover the rent",
    Barrier.NOTICE_SERVED: "A notice has been served",
    Barrier.OVERCROWDING: "Too many people for the home",
    Barrier.DISREPAIR: "Disrepair",
    Barrier.NO_ENGAGEMENT: "The household cannot be reached",
    Barrier.HEALTH_OR_CARE: "Health or care",
    Barrier.OTHER: "Something else",
}
ROLES = {
    Role.OFFICER: "Officer",
    Role.REVIEWER: "Reviewer",
    Role.MANAGER: "Manager",
    Role.ANALYST: "Analyst",
    Role.AUDITOR: "Auditor",
    Role.ADMIN: "Administrator",
}
ROLE_HINTS = {
    Role.OFFICER: "Looks up households, takes and works on flags",
    Role.REVIEWER: "An officer who also reopens flags and settles alerts",
    Role.MANAGER: "Assigns work, reviews look-ups, countersigns lists, answers objections",
    Role.ANALYST: "Pseudonyms only: no names, addresses or free text",
    Role.AUDITOR: "The audit log, no case content",
    Role.ADMIN: "Users and keys, no cases",
}
PERMISSIONS = {Permission.SAFE_CONTACT: "Safe contact: sees households that need it"}
SCOPES = {
    Scope.FLAGS_READ: "Read flags",
    Scope.FLAGS_WRITE: "Record contacts and outcomes",
    Scope.HOUSEHOLDS_READ: "Look up households by reference",
    Scope.SCORE: "Score rows",
    Scope.ALERTS_WRITE: "Report early alerts",
    Scope.MODELS_READ: "Read about the model",
    Scope.EXPORT: "Export flags",
}
SUPPRESSIONS = {
    "objection": "This household objected. Do not contact it, list it or print it.",
    "safe_contact": "Safe contact only. Ask where, when and how it is safe before any contact. "
    "Never print or export this household.",
    "deceased": "Somebody of this household has died. Do not contact it without a supervisor.",
    "staff_member": "A member of staff lives here. Only people named for it may work on it.",
    "legal_hold": "There is a legal hold on this household. Do not contact it.",
}
OFFER_STATES = {
    OfferState.OFFERED: "Offered",
    OfferState.ACCEPTED: "Accepted",
    OfferState.DECLINED: "Declined",
    OfferState.STARTED: "Started",
    OfferState.COMPLETED: "Completed",
}
