"""What an ingestion did, as counts that always add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class TableSummary:
    """The counts of one table: `read` = `accepted` + `rejected` + `duplicates`, always.

    Attributes
    ----------
    superseded : how many of the accepted rows replaced an older version
    late : how many of the accepted rows are older than what is stored; kept as history
    set_aside : rows of the supplier's files that the mapping says are not for this table; they
        are not counted as read
    faults : why the table could not be loaded at all
    rules : rejected rows by `column:rule`
    """

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    superseded: int = 0
    late: int = 0
    set_aside: int = 0
    faults: tuple[str, ...] = ()
    rules: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def reject_share(self) -> float:
        """Rejected rows as a share of rows read."""
        return self.rejected / self.read if self.read else 0.0


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """What one `ingest` did, or would do.

    Attributes
    ----------
    run_folder : holds `ingest.json` and `rejects/`
    delivered_on : the delivery's day, and `delivered_by` how it was found: `stated`,
        `file names` or `day of ingestion`
    changed : whether the tables are different now (never, in a dry run)
    content_hash : of the tables as they stand now
    """

    run_folder: Path
    delivered_on: date
    delivered_by: str
    dry_run: bool
    changed: bool
    content_hash: str
    tables: Mapping[str, TableSummary]
    missing: tuple[str, ...] = ()
    unread_files: tuple[str, ...] = ()
    ignored_columns: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def read(self) -> int:
        """Rows read, all tables together."""
        return sum(table.read for table in self.tables.values())

    @property
    def accepted(self) -> int:
        """Rows accepted, all tables together."""
        return sum(table.accepted for table in self.tables.values())

    @property
    def rejected(self) -> int:
        """Rows rejected, all tables together."""
        return sum(table.rejected for table in self.tables.values())

    @property
    def duplicates(self) -> int:
        """Rows that repeat one of the delivery or of the store, all tables together."""
        return sum(table.duplicates for table in self.tables.values())

    @property
    def superseded(self) -> int:
        """Accepted rows that replaced an older version, all tables together."""
        return sum(table.superseded for table in self.tables.values())

    def as_json(self) -> dict[str, Any]:
        """Return the summary as plain values, without a row's content."""
        return {
            "delivered_on": self.delivered_on.isoformat(),
            "delivered_by": self.delivered_by,
            "dry_run": self.dry_run,
            "changed": self.changed,
            "content_hash": self.content_hash,
            "missing_tables": list(self.missing),
            "unread_files": list(self.unread_files),
            "ignored_columns": list(self.ignored_columns),
            "warnings": list(self.warnings),
            "tables": {name: _table(counts) for name, counts in self.tables.items()},
        }


def _table(counts: TableSummary) -> dict[str, Any]:
    return {
        "read": counts.read,
        "accepted": counts.accepted,
        "rejected": counts.rejected,
        "duplicates": counts.duplicates,
        "superseded": counts.superseded,
        "late": counts.late,
        "set_aside": counts.set_aside,
        "faults": list(counts.faults),
        "rejected_by_rule": dict(counts.rules),
        "warnings": list(counts.warnings),
    }
