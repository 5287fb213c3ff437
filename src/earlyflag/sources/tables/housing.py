"""Benefits, tenancies, their people, the rent ledger and tenancy events."""

from __future__ import annotations

from earlyflag.sources.declare import (
    Column,
    Table,
    code,
    date_of_birth,
    day,
    known_on,
    pence,
    person_name,
    reference,
    spell_end,
    spell_start,
    uprn,
)

BENEFITS = Table(
    "benefits",
    "Help with council tax or rent, in spells; a change of amount starts a new row.",
    (
        reference("claim_ref", "Reference of the claim."),
        spell_start(),
        *spell_end(),
        reference("account_ref", "Council tax account the award is paid to.", nullable=True),
        reference("tenancy_ref", "Tenancy the award is paid for.", nullable=True),
        code("kind", "Which benefit.",
             "council_tax_reduction|housing_benefit|universal_credit_housing|"
             "discretionary_housing_payment", sensitivity="financial", from_benefits=True),
        pence("weekly_pence", "Weekly award.", from_benefits=True),
        pence("shortfall_weekly_pence", "Contractual weekly rent above what is paid.",
              nullable=True, from_benefits=True),
        Column("capped", "boolean", "Whether the benefit cap applies.", sensitivity="financial",
               from_benefits=True),
    ),
    key=("claim_ref", "valid_from"),
    spell=True,
    dated_by="valid_from",
)  # fmt: skip

TENANCIES = Table(
    "tenancies",
    "Tenancies; a new rent starts a new row. Private ones only where the council learns of them.",
    (
        reference("tenancy_ref", "Tenancy reference."),
        spell_start(),
        uprn(),
        code("landlord", "Who lets the home.", "council|housing_association|private|temporary"),
        code("tenancy_type", "Type of tenancy.",
             "secure|introductory|flexible|demoted|non_secure|assured|assured_periodic|"
             "assured_shorthold|licence|leasehold"),
        *spell_end(),
        Column("end_reason", "text", "Why the tenancy ended; exists only once the end is known.",
               True, known_by="valid_to_known_on"),
        pence("weekly_rent_pence", "Weekly rent."),
        Column("bedrooms", "integer", "Number of bedrooms.", True, minimum=0, maximum=99),
    ),
    key=("tenancy_ref", "valid_from"),
    spell=True,
    dated_by="valid_from",
)  # fmt: skip

TENANCY_PEOPLE = Table(
    "tenancy_people",
    "Who lives in a tenancy, and when.",
    (
        reference("tenancy_ref", "Tenancy reference."),
        reference("person_ref", "Reference of the person inside the housing system."),
        spell_start(),
        person_name("forename", "Forename."),
        person_name("surname", "Surname."),
        date_of_birth(),
        code("relationship", "Relationship to the tenancy.",
             "tenant|joint_tenant|partner|child|adult_child|other", sensitivity="personal"),
        *spell_end(),
    ),
    key=("tenancy_ref", "person_ref", "valid_from"),
    spell=True,
    dated_by="valid_from",
)  # fmt: skip

RENT_TRANSACTIONS = Table(
    "rent_transactions",
    "The rent ledger.",
    (
        reference("transaction_ref", "Reference of the ledger row."),
        reference("tenancy_ref", "Tenancy reference."),
        day("happened_on", "Day the amount fell due or was posted."),
        known_on("happened_on"),
        code("kind", "What the row is.",
             "rent|service_charge|payment|direct_debit_unpaid|housing_benefit|universal_credit|"
             "dwp_deduction|discretionary_housing_payment|court_costs|refund|write_off|adjustment",
             benefit_codes="housing_benefit|universal_credit|dwp_deduction|"
                           "discretionary_housing_payment"),
        pence("amount_pence", "Positive is owed by the household, negative reduces what is owed."),
    ),
    key=("transaction_ref",),
)  # fmt: skip

TENANCY_EVENTS = Table(
    "tenancy_events",
    "Letters, notices, orders and early alerts about a tenancy or a home.",
    (
        reference("event_ref", "Reference of the event."),
        reference("tenancy_ref", "Tenancy reference, where there is one.", nullable=True),
        uprn(nullable=True),
        day("happened_on", "Day of the event."),
        known_on("happened_on"),
        code("kind", "What happened.",
             "arrears_letter_1|arrears_letter_2|arrangement_made|arrangement_broken|"
             "notice_seeking_possession|section_21_notice|section_8_notice|court_application|"
             "possession_order|suspended_order|warrant|eviction|breathing_space|landlord_alert|"
             "agent_alert|disrepair_complaint|antisocial_behaviour_complaint|"
             "unlawful_eviction_report"),
    ),
    key=("event_ref",),
)  # fmt: skip

TABLES = (BENEFITS, TENANCIES, TENANCY_PEOPLE, RENT_TRANSACTIONS, TENANCY_EVENTS)
