"""The public arrears ledger, written as the data contract's tables.

Source: "Default of Credit Card Clients", I-C. Yeh, UCI Machine Learning Repository,
doi 10.24432/C55S3H (CC BY 4.0), as accounts, monthly statements and the October outcome.

How it is read: a statement's bill is a `charge` and the amount paid a `payment`, both on the
month's last day; one, two, three, four or more months behind are the recovery stages reminder,
final notice, summons and liability order, and a statement paid in full is `cleared`. In a month
in which the account was not used at all it has no payment method; in all others it is `cash`.
There are no people and no addresses: every account stands for a home of its own. Sex, age,
education, marriage and the credit limit are left out.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

STAGES = {
    -1: "cleared", 1: "reminder", 2: "final_notice", 3: "summons", 4: "liability_order",
}  # fmt: skip
NOT_USED = -2
FIRST_DAY = date(2005, 4, 1)
DEFAULT_KNOWN_ON = date(2005, 10, 31)


def read(data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return statements (one row an account and month) and outcomes (one row an account)."""
    statements = pd.read_csv(data / "statements.csv.gz")
    statements["day"] = statements["month"].map(_last_day)
    statements["account_ref"] = _references(statements["account_id"])
    outcome = pd.read_csv(data / "outcome.csv.gz")
    outcome["account_ref"] = _references(outcome["account_id"])
    return statements.sort_values(["account_id", "month"], ignore_index=True), outcome


def write(data: Path, extracts: Path) -> None:
    """Write `council_tax_accounts`, `_transactions`, `_recovery` and `outcomes` as Parquet."""
    statements, outcome = read(data)
    extracts.mkdir(parents=True, exist_ok=True)
    for name, table in {
        "council_tax_accounts": _accounts(statements),
        "council_tax_transactions": _transactions(statements),
        "council_tax_recovery": _recovery(statements),
        "outcomes": _outcomes(outcome),
    }.items():
        table.to_parquet(extracts / f"{name}.parquet", index=False)


def _references(account_id: pd.Series) -> pd.Series:
    return account_id.astype(str).str.zfill(6)


def _last_day(month: str) -> date:
    year, number = int(month[:4]), int(month[5:7])
    return date(year, number, monthrange(year, number)[1])


def _accounts(statements: pd.DataFrame) -> pd.DataFrame:
    """One spell for each run of months with the same payment method."""
    method = np.where(statements["months_behind_status"] == NOT_USED, "none", "cash")
    frame = statements[["account_ref", "day"]].assign(payment_method=method)
    previous = frame.groupby("account_ref")["payment_method"].shift()
    spells = frame[frame["payment_method"] != previous].copy()
    # What a month was is known at its end, so that is when its spell begins; the first spell
    # begins with the ledger, known (like every first statement) from that month's end on.
    first = ~spells["account_ref"].duplicated()
    spells["known_on"] = spells["day"]
    spells["valid_from"] = spells["day"].where(~first, FIRST_DAY)
    following = spells.groupby("account_ref")["valid_from"].shift(-1)
    return pd.DataFrame(
        {
            "account_ref": spells["account_ref"],
            "valid_from": spells["valid_from"],
            "valid_to": following,
            "valid_to_known_on": following,
            "known_on": spells["known_on"],
            "uprn": spells["account_ref"].str.zfill(12),
            "payment_method": spells["payment_method"],
            "instalments": 12,
            "discount": "none",
        }
    )


def _transactions(statements: pd.DataFrame) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "transaction_ref": statements["account_ref"] + "-" + statements["month"] + suffix,
                "account_ref": statements["account_ref"],
                "happened_on": statements["day"],
                "known_on": statements["day"],
                "kind": kind,
                "amount_pence": statements[column] * sign * 100,
            }
        )
        for kind, column, sign, suffix in (
            ("charge", "bill_amount", 1, "-c"),
            ("payment", "paid_amount", -1, "-p"),
        )
    ]
    return pd.concat(parts, ignore_index=True)


def _recovery(statements: pd.DataFrame) -> pd.DataFrame:
    stage = statements["months_behind_status"].clip(upper=4).map(STAGES)
    rows = statements[stage.notna()]
    return pd.DataFrame(
        {
            "account_ref": rows["account_ref"],
            "happened_on": rows["day"],
            "known_on": rows["day"],
            "stage": stage[stage.notna()],
            "balance_pence": rows["bill_amount"] * 100,
        }
    )


def _outcomes(outcome: pd.DataFrame) -> pd.DataFrame:
    defaulted = outcome[outcome["default_2005_10"] == 1]
    return pd.DataFrame(
        {
            "outcome_ref": "D" + defaulted["account_ref"],
            "account_ref": defaulted["account_ref"],
            "kind": "october_default",
            "happened_on": DEFAULT_KNOWN_ON,
            "known_on": DEFAULT_KNOWN_ON,
        }
    )
