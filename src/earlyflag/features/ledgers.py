"""Which facts of the two ledgers are summed by month, and over which windows."""

from __future__ import annotations

from earlyflag.features.declare import Ledger, Measure

LAGS = tuple(range(1, 7))
YEAR = tuple(range(1, 13))


def _amount(*kinds: str, sign: str = "") -> str:
    named = ", ".join(f"'{kind}'" for kind in kinds)
    return f"CASE WHEN kind IN ({named}) THEN {sign}amount_pence END"


def _count(*kinds: str, value: str = "1") -> str:
    named = ", ".join(f"'{kind}'" for kind in kinds)
    return f"CASE WHEN kind IN ({named}) THEN {value} END"


COUNCIL_TAX_LEDGER = Ledger(
    "council_tax_ledger_at",
    "council_tax_transactions",
    "account_ref",
    (
        Measure("rows", "1", total=True, ends=(*LAGS, 12)),
        Measure("balance", "amount_pence", total=True, ends=YEAR),
        Measure("charge", _amount("charge"), (3, 6, 12), YEAR),
        Measure("dues", _count("charge"), (12,), YEAR),
        # A bounced payment is debited again, so that what was paid is net of it.
        Measure("paid", _amount("payment", "failed_payment", sign="-"), (3, 6, 12), YEAR),
        Measure("payments", _count("payment"), (3, 12)),
        Measure("failed", _count("failed_payment"), (6, 12)),
        Measure("payment_days", _count("payment", value="dayofmonth(happened_on)"), (3, 12)),
        Measure(
            "payment_days_squared",
            _count("payment", value="dayofmonth(happened_on) * dayofmonth(happened_on)"),
            (12,),
        ),
        Measure("costs", _amount("costs"), (24,)),
    ),
    {
        "payment": "kind = 'payment'",
        "failed": "kind = 'failed_payment'",
        "costs": "kind = 'costs'",
    },
)

RENT_LEDGER = Ledger(
    "rent_ledger_at",
    "rent_transactions",
    "tenancy_ref",
    (
        Measure("rows", "1", ends=(3, 6, 12)),
        Measure("balance", "amount_pence", total=True, ends=YEAR),
        Measure("charge", _amount("rent", "service_charge"), (3, 6, 12), LAGS),
        Measure("paid", _amount("payment", "direct_debit_unpaid", sign="-"), (3, 6, 12), LAGS),
        Measure("unpaid", _count("direct_debit_unpaid"), (12,)),
        Measure(
            "support",
            _amount(
                "housing_benefit",
                "universal_credit",
                "discretionary_housing_payment",
                sign="-",
            ),
            (3, 6, 12),
        ),
        Measure("direct", _amount("housing_benefit", "universal_credit", sign="-"), (6,)),
        Measure("deductions", _count("dwp_deduction"), (6,)),
        Measure("court_costs", _amount("court_costs"), (24,)),
    ),
    {"payment": "kind = 'payment'"},
)

LEDGERS: dict[str, Ledger] = {ledger.name: ledger for ledger in (COUNCIL_TAX_LEDGER, RENT_LEDGER)}
"""Every ledger relation by name."""
