"""The unit of work: one transaction, its repositories, its audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from earlyflag.store.access import Access
from earlyflag.store.audit import AuditTrail
from earlyflag.store.borough import Borough
from earlyflag.store.cases import Cases
from earlyflag.store.counting import Counting
from earlyflag.store.database import transaction
from earlyflag.store.erasing import Erasing
from earlyflag.store.flags import Flags
from earlyflag.store.foreseen import Foreseen
from earlyflag.store.holdings import Holdings
from earlyflag.store.outbox import Outbox
from earlyflag.store.panels import Panels
from earlyflag.store.retaining import Retaining
from earlyflag.store.suppressing import Suppressions


class UnitOfWork:
    """One transaction and the repositories on it. Services never commit; its door does."""

    def __init__(self, connection: Connection, foreseen: Foreseen | None = None) -> None:
        self.connection = connection
        self.foreseen = foreseen or Foreseen()
        self.audit = AuditTrail(connection)
        self.borough = Borough(connection, self.audit, self.foreseen)
        self.counting = Counting(connection)
        self.flags = Flags(connection, self.audit, self.foreseen)
        self.cases = Cases(connection, self.audit)
        self.access = Access(connection, self.audit, self.foreseen)
        self.panels = Panels(connection, self.audit)
        self.erasing = Erasing(connection, self.audit)
        self.holdings = Holdings(connection)
        self.retaining = Retaining(connection, self.audit)
        self.outbox = Outbox(connection, self.audit)
        self.suppressions = Suppressions(connection, self.audit, self.foreseen)


@contextmanager
def begin(engine: Engine, foreseen: Foreseen | None = None) -> Iterator[UnitOfWork]:
    """Open a unit of work: its changes and their audit are committed together, or neither."""
    with transaction(engine) as connection:
        unit = UnitOfWork(connection, foreseen)
        yield unit
        unit.audit.flush()
