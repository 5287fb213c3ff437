"""Time the features: 40 council tax ones beside pandas, and all of them for a large borough.

Run as `python benchmarks/features.py [--accounts N] [--copies N] [--part pandas|borough|growth]`.
Each part runs in a process of its own, so that its peak memory is its own. The last line is one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import borough_copies
import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from earlyflag import features
from earlyflag.core.clock import month_starts

THREADS = 2
CUT_OFFS = month_starts(date(2023, 2, 1), date(2025, 1, 1))
LAGS = range(1, 7)
NAMES = [
    "council_tax_balance_pence", "council_tax_arrears_instalments",
    *(f"council_tax_balance_change_{m}m_pence" for m in (3, 6, 12)),
    *(f"council_tax_months_owing_{m}m" for m in (6, 12)),
    "council_tax_balance_peak_12m_pence",
    *(f"council_tax_balance_pence_lag{m}" for m in LAGS),
    *(f"council_tax_instalments_missed_{m}m" for m in (3, 6, 12)),
    "council_tax_instalments_due_12m",
    *(f"council_tax_months_without_payment_{m}m" for m in (3, 6, 12)),
    *(f"council_tax_paid_share_{m}m" for m in (3, 6, 12)),
    "council_tax_paid_share_last_bill",
    *(f"council_tax_charge_pence_lag{m}" for m in LAGS),
    *(f"council_tax_paid_pence_lag{m}" for m in LAGS),
    "council_tax_payments_12m", "days_since_council_tax_payment",
    "council_tax_failed_payments_12m",
]  # fmt: skip

LEDGER = """
WITH months AS (
    SELECT a, m, CAST(8000 + hash(a) % 9000 AS BIGINT) AS due,
        CAST(DATE '2021-01-01' + to_months(CAST(m AS INTEGER)) AS DATE) AS month,
        hash(a, m) % 1000 AS luck, hash(m, a, 7) % 28 AS day
    FROM range({accounts}) AS t(a), range(48) AS s(m)
),
entries AS (
    SELECT a, m, 1 AS n, month AS happened_on, month - INTERVAL 20 DAY AS known_on,
        'charge' AS kind, due AS amount_pence FROM months
    UNION ALL
    SELECT a, m, 2, month + INTERVAL (day) DAY,
        month + INTERVAL (day + CASE WHEN luck % 25 = 0 THEN 45 ELSE luck % 3 END) DAY,
        'payment', -due FROM months WHERE luck < 900 - hash(a, 1) % 250
    UNION ALL
    SELECT a, m, 3, month + INTERVAL 25 DAY, month + INTERVAL 26 DAY, 'failed_payment', due
    FROM months WHERE luck BETWEEN 400 AND 420
)
SELECT 'T' || a || '-' || m || '-' || n AS transaction_ref, 'A' || a AS account_ref,
    CAST(happened_on AS DATE) AS happened_on, CAST(known_on AS DATE) AS known_on, kind,
    amount_pence, CAST(NULL AS DATE) AS superseded_on
FROM entries
"""


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Return the seconds of the clock and of all processors that some work took."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "seconds": round(time.perf_counter() - wall, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
    }


class Ledger:
    """One council tax ledger and nothing else, as contract views."""

    missing = ()
    last_known_on = CUT_OFFS[-1]

    def __init__(self, folder: Path, accounts: int) -> None:
        self.path = folder / "council_tax_transactions.parquet"
        self.accounts = accounts
        with duckdb.connect() as con:
            con.execute(f"COPY ({LEDGER.format(accounts=accounts)}) TO '{self.path}'")

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        borough_copies.empty_views(con)
        con.execute(
            "CREATE OR REPLACE VIEW council_tax_transactions AS "
            f"SELECT * FROM read_parquet('{self.path}')"
        )


class OneHomeEach:
    """A household an account."""

    def __init__(self, accounts: int) -> None:
        self.accounts = accounts

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        borough_copies.empty_links(con)
        con.execute(
            "CREATE OR REPLACE VIEW household_homes AS SELECT 'H' || a AS household_id, "
            "NULL::VARCHAR AS uprn, 'A' || a AS account_ref, NULL::VARCHAR AS tenancy_ref, "
            f"DATE '2020-01-01' AS from_as_of, NULL::DATE AS to_as_of FROM range({self.accounts}) "
            "AS t(a)"
        )


def by_pandas(ledger: Path, folder: Path) -> None:
    """Compute the 40 features as well as pandas allows: one pass a cut-off, sums by month."""
    rows = pq.read_table(
        ledger, columns=["account_ref", "happened_on", "known_on", "kind", "amount_pence"]
    ).to_pandas(categories=["account_ref", "kind"], date_as_object=False)
    names = rows["account_ref"].cat.categories
    rows["account"] = rows["account_ref"].cat.codes.astype(np.int64)
    rows["month"] = (rows["happened_on"].dt.year * 12 + rows["happened_on"].dt.month).astype(int)
    kinds = {kind: n for n, kind in enumerate(rows["kind"].cat.categories)}
    rows["kind"] = rows["kind"].cat.codes
    rows = rows[["account", "month", "kind", "amount_pence", "happened_on", "known_on"]]
    folder.mkdir(parents=True)
    for as_of in CUT_OFFS:
        frame = _at(rows, pd.Timestamp(as_of), kinds, len(names))
        frame.insert(0, "household_id", "H" + names.astype(str).str[1:])
        frame.to_parquet(folder / f"as_of={as_of}.parquet", index=False)


def _at(rows: pd.DataFrame, as_of: pd.Timestamp, kinds: dict[str, int], n: int) -> pd.DataFrame:
    seen = rows[(rows["known_on"] < as_of) & (rows["happened_on"] < as_of)]
    lag = np.minimum(as_of.year * 12 + as_of.month - 1 - seen["month"], 12)
    slot = seen["account"] * 13 + lag
    amount, kind = seen["amount_pence"], seen["kind"]

    def by_month(values: pd.Series, chosen: pd.Series | slice = slice(None)) -> np.ndarray:
        summed = values[chosen].groupby(slot[chosen]).sum()
        dense = np.zeros(n * 13)
        dense[summed.index.to_numpy()] = summed.to_numpy()
        return dense.reshape(n, 13)

    charged, payment = kind == kinds["charge"], kind == kinds["payment"]
    failed = kind == kinds["failed_payment"]
    moved = by_month(amount)
    balance = moved.sum(axis=1)
    ends = balance[:, None] - np.cumsum(moved, axis=1)
    known = np.cumsum(by_month(pd.Series(1.0, seen.index))[:, ::-1], axis=1)[:, ::-1] > 0
    charge, paid = by_month(amount, charged), by_month(-amount, payment | failed)
    ones = pd.Series(1.0, seen.index)
    dues = by_month(ones, charged)
    last = seen.loc[payment, "happened_on"].groupby(seen.loc[payment, "account"]).max()
    later = np.cumsum(charge, axis=1) - charge
    reached = np.where(balance[:, None] > later, dues, 0)
    idle = (charge > 0) & (paid <= 0)
    owing = np.concatenate([balance[:, None] > 0, ends[:, :11] > 0], axis=1)
    every = np.concatenate([balance[:, None], ends[:, :11]], axis=1)

    def share(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
        return np.divide(top, bottom, out=np.full(n, np.nan), where=bottom != 0)

    found = {
        "council_tax_balance_pence": balance,
        "council_tax_arrears_instalments": share(
            np.maximum(balance, 0) * dues[:, :12].sum(1), charge[:, :12].sum(1)
        ),
        **{f"council_tax_balance_change_{m}m_pence":
           np.where(known[:, m], balance - ends[:, m - 1], np.nan) for m in (3, 6, 12)},
        **{f"council_tax_months_owing_{m}m": owing[:, :m].sum(1) for m in (6, 12)},
        "council_tax_balance_peak_12m_pence": every.max(1),
        **{f"council_tax_balance_pence_lag{m}":
           np.where(known[:, m], ends[:, m - 1], np.nan) for m in LAGS},
        **{f"council_tax_instalments_missed_{m}m": reached[:, :m].sum(1) for m in (3, 6, 12)},
        "council_tax_instalments_due_12m": dues[:, :12].sum(1),
        **{f"council_tax_months_without_payment_{m}m": idle[:, :m].sum(1) for m in (3, 6, 12)},
        **{f"council_tax_paid_share_{m}m": share(paid[:, :m].sum(1), charge[:, :m].sum(1))
           for m in (3, 6, 12)},
        "council_tax_paid_share_last_bill": share(paid[:, 0], charge[:, 1]),
        **{f"council_tax_charge_pence_lag{m}":
           np.where(known[:, m - 1], charge[:, m - 1], np.nan) for m in LAGS},
        **{f"council_tax_paid_pence_lag{m}":
           np.where(known[:, m - 1], paid[:, m - 1], np.nan) for m in LAGS},
        "council_tax_payments_12m": by_month(ones, payment)[:, :12].sum(1),
        "days_since_council_tax_payment": (as_of - last).dt.days.reindex(range(n)).to_numpy(),
        "council_tax_failed_payments_12m": by_month(ones, failed)[:, :12].sum(1),
    }  # fmt: skip
    return pd.DataFrame({name: found[name].astype(np.float32) for name in NAMES})


def beside_pandas(folder: Path, accounts: int) -> dict[str, object]:
    """Time both on the same ledger and compare every value."""
    ledger = Ledger(folder, accounts)
    ours = timed(
        lambda: features.build(
            ledger, OneHomeEach(accounts), CUT_OFFS, folder / "ours", columns=NAMES,
            threads=THREADS,
        )
    )  # fmt: skip
    theirs = timed(lambda: by_pandas(ledger.path, folder / "pandas"))
    store = features.open_store(folder / "ours")
    different = 0
    for as_of in CUT_OFFS:
        one = store.frame([as_of], NAMES).set_index("household_id")[NAMES]
        other = pd.read_parquet(folder / "pandas" / f"as_of={as_of}.parquet").set_index(
            "household_id"
        )
        both = other.loc[one.index].to_numpy()
        different += int((~np.isclose(one.to_numpy(), both, rtol=1e-6, equal_nan=True)).sum())
    return {
        "features": len(NAMES),
        "accounts": accounts,
        "cut_offs": len(CUT_OFFS),
        "earlyflag": ours,
        "pandas": theirs,
        "times_faster": round(theirs["seconds"] / ours["seconds"], 2),
        "values_different": different,
    }


def whole_borough(folder: Path, times: int) -> dict[str, object]:
    """Time every feature at 24 monthly cut-offs, and then one month more."""
    home = borough_copies.small_borough(folder)
    tables, households = borough_copies.copies(home, folder / f"copies{times}", times)
    last = borough_copies.LAST
    months = month_starts(date(last.year - 2, last.month, 1), last)
    out = folder / "features"
    shutil.rmtree(out, ignore_errors=True)
    first = timed(lambda: features.build(tables, households, months[:-1], out, threads=THREADS))
    peak = peak_gb()
    month = timed(lambda: features.build(tables, households, months, out, threads=THREADS))
    rows = sum(pq.read_metadata(path).num_rows for path in out.glob("*.parquet"))
    return {
        "features": len(features.CATALOGUE),
        "rows": rows,
        "cut_offs": len(months) - 1,
        "all": first,
        "one_new_month": month,
        "peak_gb": round(peak, 2),
    }


def growth(folder: Path) -> dict[str, object]:
    """Time three cut-offs of a borough and of one four times as large."""
    home = borough_copies.small_borough(folder)
    months = month_starts(date(2026, 5, 1), date(2026, 7, 1))
    taken = {}
    for times in (3, 12):
        views = borough_copies.copies(home, folder / f"copies{times}", times)
        out = folder / f"growth{times}"
        shutil.rmtree(out, ignore_errors=True)
        taken[times] = timed(
            lambda views=views, out=out: features.build(*views, months, out, threads=THREADS)
        )
    ratio = taken[12]["cpu_seconds"] / taken[3]["cpu_seconds"]
    return {"one": taken[3], "four": taken[12], "four_over_one_cpu": round(ratio, 2),
            "four_over_one": round(taken[12]["seconds"] / taken[3]["seconds"], 2)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=130_000)
    parser.add_argument("--copies", type=int, default=13, help="of 10,000 households")
    parser.add_argument("--part", choices=["pandas", "borough", "growth"])
    parser.add_argument("--folder", type=Path, help="keep the boroughs here for another run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if asked.part == "pandas":
            found = beside_pandas(Path(scratch), asked.accounts)
        elif asked.part == "borough":
            found = whole_borough(folder, asked.copies)
        elif asked.part == "growth":
            found = growth(folder)
        else:
            found = {part: _apart(part, folder, asked) for part in ("pandas", "borough", "growth")}
    print(json.dumps(found))


def _apart(part: str, folder: Path, asked: argparse.Namespace) -> dict[str, object]:
    command = [
        sys.executable, __file__, "--part", part, "--folder", str(folder),
        "--accounts", str(asked.accounts), "--copies", str(asked.copies),
    ]  # fmt: skip
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    print(f"{part}: {done.stdout.strip()}", flush=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
