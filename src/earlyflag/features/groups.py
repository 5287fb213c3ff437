"""The reason groups: which features make one reason, and what is said when nothing is known."""

from __future__ import annotations

from earlyflag.features.declare import ReasonGroup, Rows

_DECLARED = (
    ReasonGroup(
        "council_tax_arrears",
        "Council tax owed",
        leads=("council_tax_balance_pence", "council_tax_arrears_instalments"),
        evidence=(Rows("council_tax_transactions", months=6, rule="balance"),),
        missing="No council tax ledger is known for this household",
    ),
    ReasonGroup(
        "council_tax_instalments",
        "Council tax instalments",
        leads=("council_tax_instalments_missed_6m", "council_tax_months_without_payment_6m"),
        evidence=(Rows("council_tax_transactions", rule="uncovered"),),
        missing="No council tax instalments are known for this household",
    ),
    ReasonGroup(
        "council_tax_payments",
        "How council tax is paid",
        leads=("council_tax_failed_payments_6m", "days_since_council_tax_payment"),
        evidence=(Rows("council_tax_transactions", ("payment", "failed_payment"), 12),),
        missing="No council tax payments are known for this household",
    ),
    ReasonGroup(
        "council_tax_recovery",
        "Council tax recovery",
        leads=("council_tax_recovery_stage_12m", "council_tax_recovery_steps_12m"),
        evidence=(Rows("council_tax_recovery", months=24),),
        missing="Council tax recovery is not known for this household",
    ),
    ReasonGroup(
        "council_tax_account",
        "The council tax account",
        leads=("left_direct_debit_12m", "single_person_discount_started_12m"),
        evidence=(Rows("council_tax_accounts", months=24, rule="changes"),),
        missing="No council tax account is known for this household",
    ),
    ReasonGroup(
        "council_tax_reduction",
        "Council tax reduction",
        leads=("council_tax_reduction_stopped_12m", "council_tax_reduction_cut_weekly_pence"),
        evidence=(Rows("benefits", ("council_tax_reduction",), 24, "changes"),),
        missing="Council tax reduction is not known for this household",
    ),
    ReasonGroup(
        "housing_support",
        "Help with the rent",
        leads=("benefit_shortfall_weekly_pence", "benefit_capped", "rent_awards_ended_12m"),
        evidence=(Rows("benefits", months=24, rule="changes"),),
        missing="Help with the rent is not known for this household",
    ),
    ReasonGroup(
        "universal_credit",
        "Start of universal credit",
        leads=("universal_credit_started_6m", "days_since_universal_credit_start"),
        evidence=(Rows("benefits", ("universal_credit_housing",), 24, "changes"),),
        missing="Universal credit is not known for this household",
    ),
    ReasonGroup(
        "rent_arrears",
        "Rent owed",
        leads=("rent_arrears_weeks", "rent_balance_pence"),
        evidence=(Rows("rent_transactions", months=6),),
        missing="No rent account is known for this household",
    ),
    ReasonGroup(
        "rent_payments",
        "How rent is paid",
        leads=("rent_months_without_payment_6m", "rent_paid_share_6m"),
        evidence=(
            Rows(
                "rent_transactions",
                ("payment", "direct_debit_unpaid", "housing_benefit", "universal_credit"),
                6,
            ),
        ),
        missing="No rent payments are known for this household",
    ),
    ReasonGroup(
        "tenancy_enforcement",
        "Steps towards losing the tenancy",
        leads=("possession_stage_24m", "tenancy_notices_12m", "rent_arrears_letters_6m"),
        evidence=(Rows("tenancy_events", months=24),),
        missing="No tenancy is known for this household",
    ),
    ReasonGroup(
        "landlord_alerts",
        "Alert from the landlord or agent",
        leads=("landlord_alerts_3m", "landlord_alerts_12m"),
        evidence=(
            Rows(
                "tenancy_events", ("landlord_alert", "agent_alert", "unlawful_eviction_report"), 24
            ),
        ),
        missing="Alerts of landlords and agents are not known",
    ),
    ReasonGroup(
        "home_conditions",
        "Problems in the home",
        leads=("disrepair_complaints_12m", "antisocial_behaviour_complaints_12m"),
        evidence=(
            Rows("tenancy_events", ("disrepair_complaint", "antisocial_behaviour_complaint"), 24),
        ),
        missing="Complaints about the home are not known",
    ),
    ReasonGroup(
        "tenancy",
        "The tenancy",
        leads=("tenancy_ends_within_90_days", "tenancy_age_days"),
        evidence=(Rows("tenancies", rule="open"),),
        missing="No tenancy is known for this household",
    ),
    ReasonGroup(
        "household",
        "Who lives in the household",
        leads=("children_people", "adults_left_12m"),
        evidence=(Rows("tenancy_people", rule="open"), Rows("council_tax_people", rule="open")),
        missing="Who lives in the household is not known",
    ),
    ReasonGroup(
        "overcrowding",
        "Space in the home",
        leads=("bedrooms_short_count", "people_per_bedroom"),
        evidence=(Rows("tenancy_people", rule="open"),),
        missing="The number of people or bedrooms is not known",
    ),
    ReasonGroup(
        "earlier_help",
        "Earlier contact about homelessness",
        leads=("approaches_24m", "duties_owed_before"),
        evidence=(Rows("homelessness_cases"),),
        missing="Earlier contact about homelessness is not known",
    ),
    ReasonGroup(
        "area",
        "The area",
        leads=("ward_duty_rate_12m", "ward_recovery_rate_12m"),
        missing="The ward is not known",
    ),
)

GROUPS: dict[str, ReasonGroup] = {group.key: group for group in _DECLARED}
"""Every reason group by key."""
