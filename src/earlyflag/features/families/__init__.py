"""Feature families, one file each: declarations and one SQL statement of named steps."""

from __future__ import annotations

from earlyflag.features.declare import Family
from earlyflag.features.families import (
    area,
    council_tax_account,
    council_tax_balance,
    council_tax_instalments,
    council_tax_payments,
    council_tax_recovery,
    council_tax_reduction,
    earlier_help,
    household,
    housing_support,
    rent,
    rule_terms,
    tenancy,
    tenancy_steps,
)

FAMILIES: tuple[Family, ...] = (
    council_tax_balance.FAMILY,
    council_tax_instalments.FAMILY,
    council_tax_payments.FAMILY,
    council_tax_recovery.FAMILY,
    council_tax_account.FAMILY,
    council_tax_reduction.FAMILY,
    housing_support.FAMILY,
    rent.FAMILY,
    tenancy_steps.FAMILY,
    tenancy.FAMILY,
    household.FAMILY,
    earlier_help.FAMILY,
    area.FAMILY,
)
"""Every family, in the order in which features stand in a table."""

RULE_FAMILIES: tuple[Family, ...] = (rule_terms.FAMILY,)
"""What simple rules need beside the catalogue; computed where models are judged, for no model."""
