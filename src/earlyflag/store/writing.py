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
) -> None:
    """Insert rows; where the key is there already, replace the row, or keep it."""
    if not rows:
        return
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
    connection.execute(statement, rows)


def insert_once(connection: Connection, table: type[Base], row: dict[str, Any]) -> bool:
    """Insert a row unless its key is there; return whether it was inserted.

    Where another transaction is inserting the same key, this waits for it to end.
    """
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    keys = list(table.__table__.primary_key)
    statement = make(table).values(**row).on_conflict_do_nothing(index_elements=keys)
    return connection.execute(statement.returning(*keys)).first() is not None
