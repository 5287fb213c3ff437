"""One plain line for each kind of source row. No names, no reasons for homelessness, no ages."""

from __future__ import annotations

from collections.abc import Mapping

_COUNCIL_TAX = {
    "charge": "Instalment of {amount} fell due",
    "payment": "Payment of {amount}",
    "failed_payment": "Payment of {amount} bounced",
    "reduction": "Council tax reduction of {amount} credited",
    "discount": "Discount of {amount}",
    "refund": "Refund of {amount}",
    "costs": "Costs of {amount} added",
    "write_off": "{amount} written off",
    "adjustment": "Bill changed by {amount}",
}

_RECOVERY = {
    "reminder": "Reminder sent; {amount} owed",
    "second_reminder": "Second reminder sent; {amount} owed",
    "final_notice": "Final notice sent; {amount} owed",
    "summons": "Summons issued; {amount} owed",
    "liability_order": "Liability order made; {amount} owed",
    "arrangement_made": "Arrangement to pay made; {amount} owed",
    "arrangement_broken": "Arrangement to pay broken; {amount} owed",
    "attachment": "Deductions from earnings or benefits ordered; {amount} owed",
    "enforcement_agent": "Passed to an enforcement agent; {amount} owed",
    "charging_order": "Charging order; {amount} owed",
    "committal": "Committal proceedings; {amount} owed",
    "cleared": "Debt cleared",
}

_RENT = {
    "rent": "Rent of {amount} fell due",
    "service_charge": "Service charge of {amount} fell due",
    "payment": "Rent payment of {amount}",
    "direct_debit_unpaid": "Direct debit of {amount} unpaid",
    "housing_benefit": "Housing benefit of {amount} paid to the rent",
    "universal_credit": "Universal credit of {amount} paid to the rent",
    "dwp_deduction": "{amount} of arrears deducted from benefits",
    "discretionary_housing_payment": "Discretionary housing payment of {amount}",
    "court_costs": "Court costs of {amount} added",
    "refund": "Refund of {amount}",
    "write_off": "{amount} written off",
    "adjustment": "Rent account changed by {amount}",
}

_TENANCY = {
    "arrears_letter_1": "First rent arrears letter",
    "arrears_letter_2": "Second rent arrears letter",
    "arrangement_made": "Arrangement to pay rent made",
    "arrangement_broken": "Arrangement to pay rent broken",
    "notice_seeking_possession": "Notice seeking possession",
    "section_21_notice": "Section 21 notice",
    "section_8_notice": "Section 8 notice",
    "court_application": "Application to the court for possession",
    "possession_order": "Possession order",
    "suspended_order": "Suspended possession order",
    "warrant": "Warrant for possession",
    "eviction": "Eviction",
    "breathing_space": "Breathing space began",
    "landlord_alert": "Alert from the landlord",
    "agent_alert": "Alert from a letting agent",
    "disrepair_complaint": "Complaint of disrepair",
    "antisocial_behaviour_complaint": "Complaint of antisocial behaviour",
    "unlawful_eviction_report": "Report of an unlawful eviction",
}

_BENEFITS = {
    "council_tax_reduction": "Council tax reduction of {amount} a week",
    "housing_benefit": "Housing benefit of {amount} a week",
    "universal_credit_housing": "Universal credit for housing costs of {amount} a week",
    "discretionary_housing_payment": "Discretionary housing payment of {amount} a week",
}

_CASES = {
    "approach": "Approached the council about homelessness",
    "duty": "A homelessness duty was accepted",
    "closed": "The homelessness case was closed",
}

_METHODS = {
    "direct_debit": "pays by direct debit",
    "standing_order": "pays by standing order",
    "card": "pays by card",
    "cash": "pays by cash",
    "attachment": "taken from earnings or benefits",
    "none": "no way of paying recorded",
}

_WORDS: dict[str, Mapping[str, str]] = {
    "council_tax_transactions": _COUNCIL_TAX,
    "council_tax_recovery": _RECOVERY,
    "rent_transactions": _RENT,
    "tenancy_events": _TENANCY,
    "benefits": _BENEFITS,
    "homelessness_cases": _CASES,
}


def money(amount_pence: int | None) -> str:
    """Return whole pence as pounds, without sign."""
    return f"£{abs(amount_pence or 0) / 100:,.2f}"


def words_for(
    table: str, kind: str, amount_pence: int | None, *, ended: bool = False, detail: str = ""
) -> str:
    """Return the line for one row.

    Parameters
    ----------
    kind : the row's kind, stage, role or landlord
    ended : whether the line is about the end of a spell
    detail : for accounts, the discount or exemption in force; for benefits and tenancies, the day
        on which they were known to be going to end
    """
    if table in _WORDS:
        text = _WORDS[table][kind].format(amount=money(amount_pence))
        return f"{text} ended" if ended else _until(text, detail)
    spoken = kind.replace("_", " ")
    if table == "council_tax_accounts":
        text = f"Council tax account: {_METHODS[kind]}"
        text = f"{text}; {detail.replace('_', ' ')}" if detail else text
    elif table == "tenancies":
        landlord = "private landlord" if kind == "private" else spoken
        text = _until(f"Tenancy ({landlord}) at {money(amount_pence)} a week", detail)
    else:
        text = f"A person listed as {spoken}"
    return f"{text}: ended" if ended else text


def _until(text: str, ends_on: str) -> str:
    """Return a line with the day on which it was known to end."""
    return f"{text}, known to end on {ends_on}" if ends_on else text
