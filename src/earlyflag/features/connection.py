"""A DuckDB connection for the data wing, bounded in memory and threads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "4GB"
"""What DuckDB may hold before it writes to disk; the process needs a little more."""


def connect(
    tables: Any, households: Any, *, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a connection with the views of the contract's tables and of linkage.

    Parameters
    ----------
    tables : `sources.Tables`
    households : `linkage.Households`
    threads : at most; the machine's processors where None
    """
    import duckdb

    con = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "threads": threads or os.cpu_count() or 1,
            "preserve_insertion_order": False,
        }
    )
    tables.register(con)
    households.register(con)
    return con
