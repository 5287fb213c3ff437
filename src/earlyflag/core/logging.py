"""Structured logs of allow-listed fields: what is not on the list is never written."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED_FIELDS = frozenset(
    {
        "event", "level", "timestamp", "logger", "step", "run_id", "seconds", "rows", "count",
        "table", "rule", "route", "method", "status", "correlation_id", "role", "model_version",
        "as_of", "error", "file_hash", "households", "port", "version",
        "where",
    }
)  # fmt: skip


def keep_allowed_fields(
    _logger: Any, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list, and say how many were dropped."""
    kept = {name: value for name, value in fields.items() if name in ALLOWED_FIELDS}
    dropped = len(fields) - len(kept)
    if dropped:
        kept["count_dropped_fields"] = dropped
    return kept


def configure_logging(level: str = "INFO") -> None:
    """Send logs as one JSON object a line to standard error. Called once, by an entry point."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed_fields,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger() -> Any:
    """Return a logger; it writes nothing until `configure_logging` was called by an entry point."""
    return structlog.get_logger()
