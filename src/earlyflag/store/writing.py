"""Write many rows at once, on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from earlyflag.store.tables import Base

PIECE = 5_000
ItemT = TypeVar("ItemT")


def pieces(items: Iterable[ItemT], size: int = PIECE) -> Iterator[list[ItemT]]:
    """Yield lists of up to `size` items."""
    source = iter(items)
    while piece := list(islice(source, size)):
        yield piece


def upsert(
    connection: Connection, table: type[Base], rows: Sequence[dict[str, Any]], *, keep: bool = False
) -> int:
    """Insert rows; where the key is there already, replace the row, or keep it.

    Returns how many rows were written, or -1 where the database does not say.
    """
    if not rows:
        return 0
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(table)
    keys = [column.name for column in table.__table__.primary_key]
    if keep:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    else:
        fresh = {c.name: statement.excluded[c.name] for c in table.__table__.columns}
        for key in keys:
            del fresh[key]
        statement = statement.on_conflict_do_update(index_elements=keys, set_=fresh)
    return connection.execute(statement, rows[0] if len(rows) == 1 else rows).rowcount
