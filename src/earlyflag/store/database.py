"""Connect to the casework database, bring it to the newest schema, open a transaction."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from earlyflag.core.errors import SettingsInvalid, StepMissing

BUSY_SECONDS = 30
_READ_ONLY = "earlyflag_read_only"
_HANDED_ON = -1


class _Turns:
    """A lock given in the order it was asked for, so that nobody waits for long at a busy time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._holder: int | None = None

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._guard:
            if self._holder == me:
                raise RuntimeError("A transaction was begun inside another one of this thread.")
            if self._holder is None:
                self._holder = me
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()
        self._holder = me

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                # It is handed on, not freed: whoever comes now stands in line behind the rest.
                self._holder = _HANDED_ON
                self._waiting.popleft().release()
            else:
                self._holder = None


_WRITERS: dict[str, _Turns] = {}


def connect(url: str, *, pool_size: int = 20) -> Engine:
    """Return an engine for SQLite or PostgreSQL, set for durable, concurrent casework.

    SQLite: write-ahead log, full synchronisation, foreign keys; a transaction takes the write
    lock when it begins, so that two reviewers never wait on each other halfway.

    Parameters
    ----------
    url : str
        `sqlite:///path` or `postgresql://user:password@host/database`.
    pool_size : int
        Connections kept open.

    Raises
    ------
    SettingsInvalid
        The address is of another kind of database.
    """
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            pool_size=pool_size,
            connect_args={"timeout": BUSY_SECONDS},
            hide_parameters=True,  # an error that somebody prints names nobody
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if url.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        rest = url.split("://", 1)[1]
        return create_engine(
            f"postgresql+psycopg://{rest}",
            pool_size=pool_size,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    raise SettingsInvalid(
        "database_url names neither SQLite (sqlite:///file) nor PostgreSQL "
        "(postgresql://user:password@host/database)."
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set what SQLite forgets between connections, and leave BEGIN to us."""
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "cache_size = -65536",
        "mmap_size = 268435456",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once, unless the transaction only reads."""
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN DEFERRED" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Open a connection whose work is committed at the end, or undone if an error leaves it.

    On SQLite the writers of one process stand in line for a lock before they ask the database,
    which would let them poll.
    """
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    lock = _WRITERS.setdefault(str(engine.url), _Turns())
    with lock, engine.begin() as connection:
        yield connection


def settle(engine: Engine) -> None:
    """After much was written to SQLite, bring it home from the log, so that nobody else must."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection that only reads, from one consistent moment."""
    with engine.connect() as plain:
        connection = plain.execution_options(**{_READ_ONLY: True})
        with connection.begin():
            if engine.dialect.name != "sqlite":
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield connection


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", "earlyflag.store:migrations")
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema; a new one gets every table."""
    config = _alembic()
    with transaction(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def schema_version(engine: Engine) -> tuple[str | None, str | None]:
    """Return the database's schema revision and the newest that this version knows."""
    newest = ScriptDirectory.from_config(_alembic()).get_current_head()
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision(), newest


def check_ready(engine: Engine) -> None:
    """Refuse a database that cannot be reached or whose schema is not the newest.

    Raises
    ------
    StepMissing
        With what to run next.
    """
    try:
        current, newest = schema_version(engine)
    except OperationalError as error:
        raise StepMissing(
            "The casework database cannot be reached. Check database_url and that it runs."
        ) from error
    if current != newest:
        raise StepMissing(
            f"The casework database has schema {current or 'none'}, but this version needs "
            f"{newest}. Run: earlyflag database upgrade"
        )
