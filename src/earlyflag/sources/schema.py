"""The data contract as declarations: `TABLES` names every table; nothing else defines one."""

from __future__ import annotations

from earlyflag.sources.declare import SQL_TYPES, Column, Table
from earlyflag.sources.tables import council_tax, housing, outcomes

TABLES: dict[str, Table] = {
    table.name: table for table in (*council_tax.TABLES, *housing.TABLES, *outcomes.TABLES)
}

__all__ = ["SQL_TYPES", "TABLES", "Column", "Table"]
