"""Time the ingestion of a borough: 130,000 households, 48 months, about ten million ledger rows.

Run as `python benchmarks/ingest.py [--households N] [--months M] [--form csv|parquet]`. The last
line is one JSON object: rows, seconds (of the clock and of both processors together), peak memory,
and the time of the same delivery again, of the whole file with a new month, and of a new month
alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import duckdb

LEDGER = """
    SELECT 'T' || lpad(CAST(i AS VARCHAR), 9, '0') || '{tag}' AS transaction_ref,
        CAST(30000000 + i % {households} AS VARCHAR)
            || CASE WHEN i % 7 = 0 THEN 'X' ELSE '' END AS account_ref,
        DATE '2021-01-01' + CAST((i // {households}) * 18 + i % 11 AS INTEGER) AS happened_on,
        DATE '2021-01-02' + CAST((i // {households}) * 18 + i % 11 AS INTEGER) AS known_on,
        CASE i % 3 WHEN 0 THEN 'charge' WHEN 1 THEN 'payment' ELSE 'reduction' END AS kind,
        i * 37 % 20000 - 10000 AS amount_pence
    FROM range({rows}) AS t(i)
"""
RENT = """
    SELECT 'R' || CAST(i AS VARCHAR) AS transaction_ref,
        'T' || CAST(i % ({households} // 4) AS VARCHAR) AS tenancy_ref,
        DATE '2021-01-04' + CAST((i // ({households} // 4)) * 7 AS INTEGER) AS happened_on,
        CAST(NULL AS DATE) AS known_on,
        CASE i % 2 WHEN 0 THEN 'rent' ELSE 'payment' END AS kind,
        CASE i % 2 WHEN 0 THEN 11240 ELSE -11000 END AS amount_pence
    FROM range({rows}) AS t(i)
"""
ACCOUNTS = """
    SELECT CAST(30000000 + i AS VARCHAR) AS account_ref, DATE '2020-04-01' AS valid_from,
        CAST(i AS VARCHAR) AS uprn, 'direct_debit' AS payment_method, 10 AS instalments,
        'none' AS discount FROM range({households}) AS t(i)
"""

CHILD = """
import json, resource, sys, time
from datetime import date
from pathlib import Path
from earlyflag.core.home import Home
from earlyflag.sources import ingest
began = time.perf_counter()
summary = ingest(Path(sys.argv[1]), Home(Path(sys.argv[2])), bases={}, lawful_basis="benchmark",
                 delivered_on=date.fromisoformat(sys.argv[3]))
print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time(),
    "read": summary.read, "accepted": summary.accepted, "duplicates": summary.duplicates,
    "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}))
"""


def write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    form = "PARQUET" if path.suffix == ".parquet" else "CSV, HEADER"
    con.execute(f"COPY ({query}) TO '{path}' (FORMAT {form})")


def timed(folder: Path, home: Path, on: date) -> dict[str, float]:
    """Ingest in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-c", CHILD, str(folder), str(home), on.isoformat()]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=130_000)
    parser.add_argument("--months", type=int, default=48)
    parser.add_argument("--form", choices=["csv", "parquet"], default="csv")
    chosen = parser.parse_args()
    households, months = chosen.households, chosen.months
    council_tax, rent = int(households * months * 1.2), int(households / 4 * months * 1.7)
    with tempfile.TemporaryDirectory() as scratch:
        folder, home = Path(scratch) / "extracts", Path(scratch) / "home"
        folder.mkdir()
        con = duckdb.connect()
        ends = chosen.form
        size = {"households": households}
        write(con, LEDGER.format(rows=council_tax, tag="", **size),
              folder / f"council_tax_transactions.{ends}")  # fmt: skip
        write(con, RENT.format(rows=rent, **size), folder / f"rent_transactions.{ends}")
        write(con, ACCOUNTS.format(**size), folder / f"council_tax_accounts.{ends}")
        megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        first = timed(folder, home, date(2025, 10, 1))
        again = timed(folder, home, date(2025, 10, 1))
        month = LEDGER.format(rows=int(households * 1.2), tag="N", **size)
        whole = LEDGER.format(rows=council_tax, tag="", **size)
        write(con, f"{whole} UNION ALL {month}", folder / f"council_tax_transactions.{ends}")
        full = timed(folder, home, date(2025, 11, 1))
        (folder / f"council_tax_transactions.{ends}").unlink()
        write(con, LEDGER.format(rows=int(households * 1.2), tag="M", **size),
              folder / f"council_tax_transactions-november.{ends}")  # fmt: skip
        alone = timed(folder, home, date(2025, 12, 1))
    peak = max(run["memory_gb"] for run in (first, again, full, alone))
    print(f"{first['read']:,.0f} rows ({megabytes:,.0f} MB) in {first['seconds']:.1f} s; "
          f"again {again['seconds']:.1f} s; whole file with a new month {full['seconds']:.1f} s; "
          f"the new month alone {alone['seconds']:.1f} s; peak {peak:.2f} GB")  # fmt: skip
    print(json.dumps({
        "rows": int(first["read"]), "form": chosen.form, "seconds": round(first["seconds"], 2),
        "cpu_seconds": round(first["cpu"], 2),
        "rows_per_second": round(first["read"] / first["seconds"]),
        "again_seconds": round(again["seconds"], 2),
        "whole_file_with_new_month_seconds": round(full["seconds"], 2),
        "new_month_alone_seconds": round(alone["seconds"], 2),
        "peak_memory_gb": round(peak, 2),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
