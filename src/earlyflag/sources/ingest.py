"""Extracts into validated tables: all of a delivery, or nothing of it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from earlyflag.core.clock import Clock, SystemClock, london_day
from earlyflag.core.errors import Conflict, ExtractRejected
from earlyflag.core.home import Home, write_json_atomically
from earlyflag.core.settings import LawfulBasis
from earlyflag.sources import preflight, sql
from earlyflag.sources.declare import Table
from earlyflag.sources.encodings import file_hash
from earlyflag.sources.feeds import Feed, Folder, date_in_names, find_feeds
from earlyflag.sources.lawful import check_lawful_bases
from earlyflag.sources.mapping import BESIDE, load_mapping
from earlyflag.sources.mapping import Mapping as SupplierMapping
from earlyflag.sources.merge import Delivery, merge
from earlyflag.sources.rejects import write_rejects
from earlyflag.sources.schema import TABLES
from earlyflag.sources.staging import Stager
from earlyflag.sources.store import (
    DATA,
    Manifest,
    StoredTable,
    read_manifest,
    relation,
    write_manifest,
)
from earlyflag.sources.summary import IngestSummary, TableSummary
from earlyflag.sources.writing import Written, write_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WORK = ".work"
LOCK = ".lock"
IN_MEMORY_BELOW = 64 << 20
MEMORY_LIMIT = "2500MB"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done, worked out before anything is read."""

    folder: Folder
    supplier: SupplierMapping | None
    mapping_hash: str
    delivery: Delivery
    delivered_by: str
    lawful_bases: Mapping[str, str]
    hashes: Mapping[Path, str]


@dataclass(slots=True)
class _Outcome:
    """What became of one table."""

    summary: TableSummary
    written: Written | None = None
    seen_key: str = ""
    ignored: frozenset[str] = frozenset()


def ingest(
    folder: Path,
    home: Home,
    *,
    bases: Mapping[str, LawfulBasis],
    mapping: str | Path | None = None,
    delivered_on: date | None = None,
    lawful_basis: str | None = None,
    reject_share_limit: float = 0.05,
    dry_run: bool = False,
    advance: Callable[[int], None] | None = None,
    clock: Clock | None = None,
) -> IngestSummary:
    """Take a folder of extracts into the home's tables, whole or not at all.

    Parameters
    ----------
    bases : lawful bases by table, from the settings
    mapping : a supplier's mapping: a YAML file or the name of one that comes with the package;
        without it `mapping.yaml` beside the extracts is used where there is one
    delivered_on : the day of the delivery; without it the latest day in the file names, else in
        the folder's name, else today. It decides which version of a row is the newer one
    lawful_basis : a text, or a file with it, that names the basis of this delivery for the tables
        that have none in the settings; recorded with the delivery
    reject_share_limit : share of rejected rows of a table above which nothing is loaded
    dry_run : report without loading
    advance : told the size in bytes of each file that was read

    Returns
    -------
    the counts of each table; also written to `runs/<run>/ingest.json`

    Raises
    ------
    ExtractRejected
        A table breaks the contract beyond the limit, lacks a required column, or cannot be read.
    LawfulBasisMissing
        A table of the delivery has no lawful basis on record.
    MappingInvalid, StepMissing, Conflict
        The mapping is wrong; the folder has no extracts; another ingestion is running.
    """
    clock = clock or SystemClock()
    with _locked(home.tables):
        manifest = read_manifest(home.tables)
        plan = _plan(folder, manifest, mapping, delivered_on, bases, lawful_basis, clock)
        run_folder = _new_run(home, clock)
        with _working(home.tables, plan) as (con, work):
            stager = Stager(con, work, advance)
            outcomes = {
                name: _table(con, stager, TABLES[name], plan, manifest, home, run_folder)
                for name in plan.folder.tables
            }
        summary = _summary(plan, run_folder, outcomes, manifest, dry_run)
        return _conclude(home, manifest, plan, outcomes, summary, reject_share_limit)


def delivery_size(folder: Path, mapping: str | Path | None = None) -> int:
    """Return the bytes of the files that an ingestion of a folder reads, for a progress bar."""
    found = find_feeds(folder, _mapping_for(folder, mapping)[0])
    return sum(path.stat().st_size for path in found.files)


def _plan(
    folder: Path,
    manifest: Manifest,
    mapping: str | Path | None,
    delivered_on: date | None,
    bases: Mapping[str, LawfulBasis],
    lawful_basis: str | None,
    clock: Clock,
) -> _Plan:
    supplier, mapping_hash = _mapping_for(folder, mapping)
    found = find_feeds(folder, supplier)
    _require_accounts(found, manifest, supplier)
    on, by = delivered_on, "stated"
    if on is None:
        on, by = date_in_names(folder, found.files), "file names"
    if on is None:
        on, by = london_day(clock.now()), "day of ingestion"
    return _Plan(
        folder=found,
        supplier=supplier,
        mapping_hash=mapping_hash,
        delivery=Delivery(on, len(manifest.deliveries) + 1, by != "day of ingestion"),
        delivered_by=by,
        lawful_bases=check_lawful_bases(found.tables, bases, lawful_basis),
        hashes={path: file_hash(path) for path in found.files},
    )


def _mapping_for(folder: Path, chosen: str | Path | None) -> tuple[SupplierMapping | None, str]:
    beside = folder / BESIDE
    if chosen is None and not beside.is_file():
        return None, "-"
    supplier = load_mapping(beside if chosen is None else chosen)
    return supplier, sha256(supplier.model_dump_json().encode()).hexdigest()[:12]


def _require_accounts(found: Folder, manifest: Manifest, supplier: SupplierMapping | None) -> None:
    """Refuse a first delivery in the contract's form that lacks a table it must have."""
    if supplier is not None:
        return  # A supplier delivers its own system; opening the tables asks for the rest.
    for table in TABLES.values():
        if table.required and table.name not in {*found.tables, *manifest.tables}:
            raise ExtractRejected(
                f"{table.name} is missing, and households start from it: no table of this "
                f"delivery was loaded. Add {table.name}.csv (or .csv.gz, .parquet) and run again."
            )


def _new_run(home: Home, clock: Clock) -> Path:
    stamp = f"{clock.now():%Y-%m-%dT%H%M%S}-ingest"
    for count in range(1, 10_000):
        run = home.runs / (stamp if count == 1 else f"{stamp}-{count}")
        try:
            run.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            continue
        return run
    raise Conflict(f"{home.runs} already has too many runs of this second. Try again.")


@contextmanager
def _locked(tables: Path) -> Iterator[None]:
    """Let one ingestion at a time write; a killed one leaves no lock behind."""
    tables.mkdir(parents=True, exist_ok=True)
    with (tables / LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                f"Another ingestion is writing to {tables}. Wait until it has ended."
            ) from error
        yield


@contextmanager
def _working(tables: Path, plan: _Plan) -> Iterator[tuple[DuckDBPyConnection, Path]]:
    """Open a working database in a folder of its own, and clear away what a kill left."""
    work = tables / WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    size = sum(path.stat().st_size for path in plan.folder.files)
    place = ":memory:" if size < IN_MEMORY_BELOW else str(work / "work.duckdb")
    con = duckdb.connect(place, config={"threads": 2, "memory_limit": MEMORY_LIMIT})
    try:
        con.execute(f"SET temp_directory = {sql.text(str(work / 'spill'))}")
        con.execute("SET autoinstall_known_extensions = false")
        con.execute("SET preserve_insertion_order = true")
        yield con, work
    finally:
        con.close()
        shutil.rmtree(work, ignore_errors=True)


def _table(
    con: DuckDBPyConnection,
    stager: Stager,
    table: Table,
    plan: _Plan,
    manifest: Manifest,
    home: Home,
    run_folder: Path,
) -> _Outcome:
    feeds = [feed for feed in plan.folder.feeds if feed.table is table]
    key = _seen_key(table, feeds, plan)
    before = manifest.seen.get(key)
    if before is not None and before["rejected"] == 0:
        stager.finish([path for feed in feeds for path in feed.all_files])
        # The very same files were loaded before: every row is a repeat of one that is stored.
        return _Outcome(TableSummary(read=before["read"], duplicates=before["read"],
                                     set_aside=before["set_aside"]), seen_key=key)  # fmt: skip
    staged = stager.stage(table, feeds)
    if not staged.parts:
        summary = TableSummary(faults=tuple(staged.faults))
        return _Outcome(summary, ignored=frozenset(staged.ignored))
    stored = manifest.tables.get(table.name)
    existing = relation(home.tables, stored.files) if stored and stored.files else None
    merged = merge(con, table, existing, plan.delivery)
    rules = write_rejects(con, staged, run_folder / "rejects" / f"{table.name}.csv")
    described = preflight.profile(con, table)
    warnings = preflight.compare(table, stored.profile if stored else {}, described)
    warnings += preflight.recorded_later(table, described, plan.delivery.on)
    summary = TableSummary(
        read=staged.read,
        accepted=merged.new + merged.changed,
        rejected=sum(rules.values()),
        duplicates=merged.duplicates,
        superseded=merged.superseded,
        late=merged.changed - merged.superseded,
        set_aside=staged.set_aside,
        faults=tuple(staged.faults),
        rules=dict(sorted(rules.items())),
        warnings=tuple(warnings),
    )
    written = None
    if not staged.faults:
        written = write_table(con, table, home.tables, stored, merged)
        written = replace(written, profile=described)
    stager.drop(staged)
    return _Outcome(summary, written, key, frozenset(staged.ignored))


def _seen_key(table: Table, feeds: list[Feed], plan: _Plan) -> str:
    content = sorted(plan.hashes[path] for feed in feeds for path in feed.all_files)
    return f"{table.name}:{sha256(''.join(content).encode()).hexdigest()[:32]}:{plan.mapping_hash}"


def _summary(
    plan: _Plan,
    run_folder: Path,
    outcomes: Mapping[str, _Outcome],
    manifest: Manifest,
    dry_run: bool,
) -> IngestSummary:
    return IngestSummary(
        run_folder=run_folder,
        delivered_on=plan.delivery.on,
        delivered_by=plan.delivered_by,
        dry_run=dry_run,
        changed=False,
        content_hash=manifest.content_hash,
        tables={name: outcome.summary for name, outcome in outcomes.items()},
        missing=tuple(
            name for name in TABLES if name not in outcomes and name not in manifest.tables
        ),
        unread_files=tuple(path.name for path in plan.folder.unread),
        ignored_columns=tuple(
            sorted({c for outcome in outcomes.values() for c in outcome.ignored})
        ),
        warnings=(
            *plan.folder.warnings,
            *(w for outcome in outcomes.values() for w in outcome.summary.warnings),
        ),
    )


def _conclude(
    home: Home,
    manifest: Manifest,
    plan: _Plan,
    outcomes: Mapping[str, _Outcome],
    summary: IngestSummary,
    limit: float,
) -> IngestSummary:
    """Load or refuse; either way the run's folder tells what was found."""
    complaints = _complaints(summary, limit)
    if not complaints and not summary.dry_run:
        renewed = _renewed(manifest, plan, outcomes, summary)
        changed = summary.accepted > 0
        summary = replace(summary, changed=changed, content_hash=renewed.content_hash)
        for name in renewed.files() - manifest.files():
            _flush(home.tables / DATA / name)
        write_manifest(home.tables, renewed)
        manifest = renewed
    _clear(home.tables, manifest)
    write_json_atomically(summary.run_folder / "ingest.json", summary.as_json())
    if complaints:
        raise ExtractRejected(
            f"Nothing of this delivery was loaded. {' '.join(complaints)} "
            f"See {summary.run_folder}; mend and run again.",
            summary=summary,
        )
    return summary


def _complaints(summary: IngestSummary, limit: float) -> list[str]:
    found = [fault for table in summary.tables.values() for fault in table.faults]
    over = {name: table for name, table in summary.tables.items() if table.reject_share > limit}
    found += [
        f"{name}: {table.rejected:,} of {table.read:,} rows were rejected."
        for name, table in over.items()
    ]
    if over:
        found.append(f"The settings allow {limit:.1%} of a table (reject_share_limit).")
    return found


def _renewed(
    manifest: Manifest, plan: _Plan, outcomes: Mapping[str, _Outcome], summary: IngestSummary
) -> Manifest:
    tables, seen = dict(manifest.tables), dict(manifest.seen)
    for name, outcome in outcomes.items():
        counts = outcome.summary
        if outcome.written is not None:
            tables[name] = StoredTable(**{
                key: getattr(outcome.written, key)
                for key in ("files", "rows", "digest", "last_known_on", "profile")
            })  # fmt: skip
        seen[outcome.seen_key] = {
            "read": counts.read, "rejected": counts.rejected, "set_aside": counts.set_aside,
        }  # fmt: skip
    if summary.accepted == 0 and set(seen) == set(manifest.seen):
        return manifest
    record = {
        "number": plan.delivery.number,
        "delivered_on": plan.delivery.on.isoformat(),
        "delivered_by": plan.delivered_by,
        "supplier": plan.supplier.supplier if plan.supplier else None,
        "run": summary.run_folder.name,
        "files": {path.name: digest for path, digest in plan.hashes.items()},
        "lawful_bases": dict(plan.lawful_bases),
        "tables": summary.as_json()["tables"],
    }
    return Manifest(tables, (*manifest.deliveries, record), seen, tuple(sorted(manifest.files())))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear(tables: Path, manifest: Manifest) -> None:
    """Remove data files that neither the present tables nor the ones before name."""
    kept = manifest.files() | set(manifest.previous_files)
    data = tables / DATA
    for path in data.iterdir() if data.is_dir() else ():
        if path.name not in kept:
            path.unlink(missing_ok=True)
