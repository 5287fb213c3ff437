"""Homelessness cases, other outcomes, equality monitoring, suppressions and interventions."""

from __future__ import annotations

from dataclasses import replace

from earlyflag.sources.declare import (
    Column,
    Table,
    code,
    date_of_birth,
    day,
    known_on,
    person_name,
    reference,
    spell_start,
    uprn,
)

HOMELESSNESS_CASES = Table(
    "homelessness_cases",
    "Homelessness applications. The approach is visible from `known_on`, the duty from "
    "`duty_known_on`, closure and outcome from `closed_known_on`.",
    (
        reference("case_ref", "Case reference."),
        reference("person_ref", "Reference of the applicant inside the homelessness system."),
        person_name("forename", "Forename."),
        person_name("surname", "Surname."),
        date_of_birth(),
        uprn("last_settled_uprn", nullable=True),
        Column("last_settled_postcode", "text", "Postcode of the last settled home.", True,
               sensitivity="personal", form="postcode"),
        day("approached_on", "Day of the approach."),
        known_on("approached_on"),
        replace(code("duty", "Duty owed.", "none|prevention|relief"),
                known_by="duty_known_on", pending=("none",)),
        day("duty_on", "Day the duty was accepted.", nullable=True, known_by="duty_known_on"),
        day("duty_known_on", "When the duty was recorded; blank means `duty_on`.", nullable=True,
            known_by="duty_known_on"),
        code("reason", "Main reason for loss of the last settled home.",
             "assured_shorthold_ended|other_private_ended|family_or_friends_unwilling|"
             "relationship_breakdown|domestic_abuse|other_violence|social_tenancy_ended|"
             "supported_housing_ended|left_institution|asylum_support_ended|home_unsuitable|"
             "other|not_known", sensitivity="special"),
        code("accommodation", "Accommodation at the approach.",
             "private_rented|council|registered_provider|owner_occupied|living_with_family|"
             "living_with_friends|temporary|no_fixed_abode|rough_sleeping|refuge|asylum_support|"
             "institution|other|not_known", sensitivity="special"),
        code("household_type", "Type of household.",
             "single_adult|lone_parent|couple|couple_with_children|three_or_more_adults|not_known",
             sensitivity="personal"),
        day("closed_on", "Day the case was closed.", nullable=True, known_by="closed_known_on"),
        day("closed_known_on", "When the closure was recorded; blank means `closed_on`.",
            nullable=True, known_by="closed_known_on"),
        replace(code("outcome", "How the case ended.",
                     "secured|homeless|contact_lost|withdrew|refused|ineligible|expired_56_days|"
                     "intentional|referred_on|open", nullable=True),
                known_by="closed_known_on", pending=("open",)),
    ),
    key=("case_ref",),
    dated_by="approached_on",
)  # fmt: skip

OUTCOMES = Table(
    "outcomes",
    "Optional events for labels other than a homelessness duty, attached by reference.",
    (
        reference("outcome_ref", "Reference of the outcome."),
        reference("account_ref", "Council tax account reference.", nullable=True),
        reference("tenancy_ref", "Tenancy reference.", nullable=True),
        uprn(nullable=True),
        Column("kind", "text", "A free code: lower-case letters, digits and underscores.",
               form="word"),
        day("happened_on", "Day of the event."),
        known_on("happened_on"),
    ),
    key=("outcome_ref",),
)  # fmt: skip

SOURCES = "council_tax|tenancy|homelessness"

EQUALITY_MONITORING = Table(
    "equality_monitoring",
    "For the fairness audit only: never a feature, a reason or a field on a screen.",
    (
        code("source", "Source system of the person.", SOURCES),
        reference("person_ref", "Reference of the person inside that source."),
        Column("ethnic_group", "text", "Ethnic group.", True, sensitivity="special"),
        Column("sex", "text", "Sex.", True, sensitivity="special"),
        Column("disability", "text", "Disability.", True, sensitivity="special"),
        Column("age_band", "text", "Age band.", True, sensitivity="special"),
    ),
    key=("source", "person_ref"),
    dated_by=None,
)

SUPPRESSIONS = Table(
    "suppressions",
    "Who is not to be listed, contacted, printed or exported. `safe_contact` is scored and "
    "flagged to holders of that permission only, and never printed or exported.",
    (
        reference("suppression_ref", "Reference of the suppression."),
        code("source", "Source system of the person.", SOURCES, nullable=True),
        reference("person_ref", "Reference of the person inside that source.", nullable=True),
        uprn(nullable=True),
        code("kind", "Why.", "objection|safe_contact|deceased|staff_member|legal_hold",
             sensitivity="special"),
        spell_start(),
        day("valid_to", "Last day; blank while it stands.", nullable=True),
    ),
    key=("suppression_ref",),
    dated_by=None,
)  # fmt: skip

INTERVENTIONS = Table(
    "interventions",
    "What was done for a household, so that a helped one is not learnt as a safe one.",
    (
        reference("intervention_ref", "Reference of the intervention."),
        uprn(nullable=True),
        reference("account_ref", "Council tax account reference.", nullable=True),
        reference("tenancy_ref", "Tenancy reference.", nullable=True),
        day("happened_on", "Day it was done."),
        code("kind", "What was done.",
             "contact_attempt|contacted|support_started|support_ended|payment_awarded"),
        code("arm", "Arm of the pilot.", "offer|holdback", nullable=True),
    ),
    key=("intervention_ref",),
)  # fmt: skip

TABLES = (HOMELESSNESS_CASES, OUTCOMES, EQUALITY_MONITORING, SUPPRESSIONS, INTERVENTIONS)
