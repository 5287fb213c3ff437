"""Timelines: the dated lines of a household's page, from what was known at the cut-off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from earlyflag.core.clock import add_months
from earlyflag.core.terms import TimelineEvent

if TYPE_CHECKING:
    import duckdb

MONTHS_SHOWN = 24

# Each source of events becomes (household_id, happened_on, kind, source, amount_pence). Ledger
# rows other than failed payments stay out: the reasons carry them, summed, as evidence. A
# homelessness approach is shown without its reason, whatever the reason was.
EVENTS = """
WITH visible_homes AS (
    SELECT household_id, account_ref, tenancy_ref
    FROM household_homes
    WHERE from_as_of <= $as_of AND (to_as_of IS NULL OR $as_of < to_as_of)
),
accounts AS (
    SELECT DISTINCT household_id, account_ref FROM visible_homes WHERE account_ref IS NOT NULL
),
lets AS (
    SELECT DISTINCT household_id, tenancy_ref FROM visible_homes WHERE tenancy_ref IS NOT NULL
),
members AS (
    SELECT DISTINCT household_id, source, person_ref
    FROM household_members
    WHERE from_as_of <= $as_of AND (to_as_of IS NULL OR $as_of < to_as_of)
),
events AS (
    SELECT household_id, happened_on, stage AS kind, 'council tax' AS source, balance_pence AS pence
    FROM council_tax_recovery JOIN accounts USING (account_ref)
    WHERE known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
    UNION ALL
    SELECT household_id, happened_on, kind, 'council tax', amount_pence
    FROM council_tax_transactions JOIN accounts USING (account_ref)
    WHERE kind = 'failed_payment'
      AND known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
    UNION ALL
    SELECT household_id, happened_on, kind, 'rent', amount_pence
    FROM rent_transactions JOIN lets USING (tenancy_ref)
    WHERE kind = 'direct_debit_unpaid'
      AND known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
    UNION ALL
    SELECT household_id, happened_on, kind, 'tenancy', NULL
    FROM tenancy_events JOIN lets USING (tenancy_ref)
    WHERE known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
    UNION ALL
    SELECT household_id, valid_from, kind || '_started', 'benefits', weekly_pence
    FROM benefits JOIN accounts USING (account_ref)
    WHERE known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
    UNION ALL
    SELECT household_id, valid_from, kind || '_started', 'benefits', weekly_pence
    FROM benefits JOIN lets USING (tenancy_ref)
    WHERE benefits.account_ref IS NULL
      AND known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
    UNION ALL
    SELECT household_id, valid_from, 'tenancy_started', 'tenancy', weekly_rent_pence
    FROM tenancies JOIN lets USING (tenancy_ref)
    WHERE known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
    UNION ALL
    SELECT household_id, approached_on, 'approached', 'homelessness', NULL
    FROM homelessness_cases
    JOIN case_links USING (case_ref)
    JOIN members ON members.source = case_links.source
                AND members.person_ref = case_links.person_ref
    WHERE known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
)
SELECT DISTINCT household_id, happened_on, kind, source, pence
FROM events
WHERE happened_on >= $since AND happened_on < $as_of
ORDER BY household_id, happened_on DESC, source, kind, pence
"""

TEXTS = {
    "reminder": "Council tax reminder sent",
    "second_reminder": "Second council tax reminder sent",
    "final_notice": "Council tax final notice sent",
    "summons": "Council tax summons issued",
    "liability_order": "Council tax liability order made",
    "arrangement_made": "Arrangement to pay made",
    "arrangement_broken": "Arrangement to pay broken",
    "attachment": "Council tax attachment set up",
    "enforcement_agent": "Council tax passed to an enforcement agent",
    "charging_order": "Council tax charging order made",
    "committal": "Council tax committal hearing",
    "cleared": "Council tax arrears cleared",
    "failed_payment": "Council tax payment failed",
    "direct_debit_unpaid": "Rent direct debit unpaid",
    "arrears_letter_1": "First rent arrears letter sent",
    "arrears_letter_2": "Second rent arrears letter sent",
    "notice_seeking_possession": "Notice seeking possession served",
    "section_21_notice": "Section 21 notice served",
    "section_8_notice": "Section 8 notice served",
    "court_application": "Landlord applied to court",
    "possession_order": "Possession order made",
    "suspended_order": "Suspended possession order made",
    "warrant": "Warrant for eviction issued",
    "eviction": "Eviction recorded",
    "breathing_space": "Breathing space started",
    "landlord_alert": "Landlord told the council that the tenant is struggling",
    "agent_alert": "Letting agent told the council that the tenant is struggling",
    "disrepair_complaint": "Complaint about disrepair",
    "antisocial_behaviour_complaint": "Complaint about antisocial behaviour",
    "unlawful_eviction_report": "Unlawful eviction reported",
    "council_tax_reduction_started": "Council tax reduction started or changed",
    "housing_benefit_started": "Housing benefit started or changed",
    "universal_credit_housing_started": "Universal credit for housing started or changed",
    "discretionary_housing_payment_started": "Discretionary housing payment started or changed",
    "tenancy_started": "Tenancy started or rent changed",
    "approached": "Approached the homelessness service",
}


def timeline_events(
    connection: duckdb.DuckDBPyConnection, as_of: date, *, months: int = MONTHS_SHOWN
) -> Iterator[TimelineEvent]:
    """Yield the events of every household in the months before a cut-off.

    Events of one household follow each other, the newest first.
    """
    result = connection.cursor().execute(
        EVENTS, {"as_of": as_of, "since": add_months(as_of, -months)}
    )
    while rows := result.fetchmany(20_000):
        for household_id, happened_on, kind, source, pence in rows:
            yield TimelineEvent(household_id, happened_on, kind, TEXTS[kind], source, pence)
