"""Time a council's whole month: new data, ingested, linked, features, scored, reasons, flags.

A borough of 130,000 households over 48 months is written, and everything known before its last
month is ingested and linked, scored and flagged, as it would have been a month ago; the champion
is a model of boosted trees, trained on a smaller borough. None of this is timed. Then comes the
last month's delivery, and each step that a council runs is timed in a process of its own, as the
command line runs it:

    earlyflag ingest, earlyflag link, earlyflag score --as-of latest (features, scores, reasons of
    every household, publication, flags), and earlyflag score again, which must change nothing.

    python benchmarks/monthly.py --folder FOLDER [--households 130000]

The folder keeps what was prepared; run again, the month is timed again from the same beginning.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import duckdb
import yaml

from earlyflag import sources, synthetic
from earlyflag.core.clock import add_months
from earlyflag.core.home import Home
from earlyflag.pipeline.demonstration import BASIS, SETTINGS
from earlyflag.sources.declare import Column

MONTHS = 48
SMALL = 8_000
NAME = "early_intervention"
CAPACITY = 100
SPECIFICATION = Path(__file__).parents[1] / "models" / f"{NAME}.yaml"


def main() -> None:
    """Prepare, time the month, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--households", type=int, default=130_000)
    parser.add_argument("--prepare-only", action="store_true")
    asked = parser.parse_args()
    before, delivery = prepare(asked.folder, asked.households)
    if not asked.prepare_only:
        tell(month(before, delivery, asked.folder / "now"))


def prepare(folder: Path, households: int) -> tuple[Path, Path]:
    """Return a home as it stood a month ago, and the delivery that comes now."""
    before, delivery, whole = folder / "before", folder / "delivery", folder / "whole"
    if (folder / "prepared").exists():
        return before, delivery
    folder.mkdir(parents=True, exist_ok=True)
    home = Home(before).open()
    bases = "".join(BASIS.format(table=name) for name in sources.TABLES)
    home.settings_file.write_text(SETTINGS + bases)
    if not (folder / "trained").exists():
        train_small(folder, home)
    written = synthetic.write_borough(whole, households=households, months=MONTHS, seed=7)
    divide(whole, folder / "old", delivery, date.fromisoformat(written.last_cut_off))
    run(before, "ingest", str(folder / "old"))
    run(before, "link")
    run(before, "score", "--capacity", str(CAPACITY))
    (folder / "prepared").touch()
    return before, delivery


def train_small(folder: Path, home: Home) -> None:
    """Make a model of trees the champion, and leave nothing else of its borough in the home."""
    content = yaml.safe_load(SPECIFICATION.read_text())
    content["candidates"] = [c for c in content["candidates"] if c["family"] == "lightgbm"]
    own = folder / f"{NAME}.yaml"
    own.write_text(yaml.safe_dump(content))
    synthetic.write_borough(folder / "small", households=SMALL, months=MONTHS, seed=8)
    run(home.root, "ingest", str(folder / "small"))
    run(home.root, "link")
    run(home.root, "train", "--spec", str(own))
    people = ("--by", "one", "--override-by", "another")
    run(home.root, "promote", "1", "--reason", "A benchmark of speed.", *people)
    for part in (home.tables, home.households, home.features):
        shutil.rmtree(part)
    (folder / "trained").touch()


def divide(whole: Path, old: Path, new: Path, last: date) -> None:
    """Write what was known before the last month, and what its delivery brings.

    A fact with a date of knowledge of its own (a spell's end, a duty) stays blank in the old
    tables until that date; its completed row comes with the delivery. Tables without dates come
    whole each time.
    """
    month = f"DATE '{add_months(last, -1)}'"
    old.mkdir(exist_ok=True)
    new.mkdir(exist_ok=True)
    with duckdb.connect() as con:
        for table in sources.TABLES.values():
            path = whole / f"{table.name}.parquet"
            if not path.exists():
                continue
            if table.dated_by is None:
                for side in (old, new):
                    shutil.copy(path, side)
                continue
            given = [str(row[0]) for row in con.execute(f"DESCRIBE FROM '{path}'").fetchall()]
            known = _first(given, "known_on", table.dated_by)
            later = {c.known_by: _day_of(given, c.known_by) for c in table.columns if c.known_by}
            shown = ", ".join(_as_then(given, table.column(name), month) for name in given)
            con.execute(
                f"COPY (SELECT {shown} FROM '{path}' WHERE {known} < {month}) "
                f"TO '{old / path.name}' (FORMAT parquet)"
            )
            is_new = " OR ".join(f"{day} >= {month}" for day in (known, *later.values()))
            con.execute(f"COPY (FROM '{path}' WHERE {is_new}) TO '{new / table.name}.csv' (HEADER)")


def _as_then(given: list[str], column: Column, month: str) -> str:
    """Return SQL for a column as it stood before a month: blank where it was not known yet."""
    if column.known_by is None:
        return column.name
    pending = f"'{column.pending[0]}'" if column.pending else "NULL"
    day = _day_of(given, column.known_by)
    return f"CASE WHEN {day} >= {month} THEN {pending} ELSE {column.name} END AS {column.name}"


def _day_of(given: list[str], known_by: str) -> str:
    """Return SQL for the day from which facts are known; blank means the day of the event."""
    stem = known_by.removesuffix("_known_on")
    return _first(given, known_by, f"{stem}_on" if f"{stem}_on" in given else stem)


def _first(given: list[str], *names: str) -> str:
    """Return SQL for the first of some columns that a file has and that is not blank."""
    return f"coalesce({', '.join(name for name in names if name in given)})"


def run(home: Path, *command: str) -> float:
    """Run a command of the service on a home; return its seconds."""
    started = time.perf_counter()
    done = subprocess.run(
        [str(Path(sys.executable).with_name("earlyflag")), "--home", str(home), *command],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"earlyflag {command[0]} failed:\n{done.stdout}{done.stderr}")
    took = time.perf_counter() - started
    print(f"  {command[0]:8} {took:7.1f} s", flush=True)
    return took


def month(before: Path, delivery: Path, now: Path) -> dict[str, Any]:
    """Run the month on a copy of the home; return seconds by step and what came of it."""
    shutil.rmtree(now, ignore_errors=True)
    shutil.copytree(before, now)
    figures: dict[str, Any] = {
        "ingest_seconds": run(now, "ingest", str(delivery)),
        "link_seconds": run(now, "link"),
        "score_seconds": run(now, "score", "--capacity", str(CAPACITY)),
    }
    figures["month_seconds"] = sum(figures.values())
    figures["score_again_seconds"] = run(now, "score", "--capacity", str(CAPACITY))
    with closing(sqlite3.connect(now / "earlyflag.db")) as con:
        newest = "(SELECT max(run_key) FROM scoring_runs)"
        figures |= {
            "households": _count(con, f"scores WHERE run_key = {newest}"),
            "with_reasons": _count(
                con, f"score_details WHERE run_key = {newest} AND detail NOT LIKE '[[],%'"
            ),
            "flags": _count(con, f"flags WHERE run_key = {newest}"),
            "runs": _count(con, "scoring_runs"),
        }
    return figures


def _count(con: sqlite3.Connection, what: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {what}").fetchone()[0])


def tell(figures: dict[str, Any]) -> None:
    """Print the figures, and all of them as one line of JSON."""
    for name, value in figures.items():
        print(
            f"{name:24} {value:>12,.1f}" if isinstance(value, float) else f"{name:24} {value:>12,}"
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
