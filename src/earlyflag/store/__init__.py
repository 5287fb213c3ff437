"""SQLAlchemy tables, repositories and migrations of the casework database."""

from earlyflag.store.audit import AuditEntry, AuditHead, AuditRecord
from earlyflag.store.database import check_ready, connect, reading, transaction, upgrade
from earlyflag.store.flags import FlagFilter, FlagPage
from earlyflag.store.grants import grant_application
from earlyflag.store.publishing import publish_run
from earlyflag.store.units import UnitOfWork, begin

__all__ = [
    "AuditEntry",
    "AuditHead",
    "AuditRecord",
    "FlagFilter",
    "FlagPage",
    "UnitOfWork",
    "begin",
    "check_ready",
    "connect",
    "grant_application",
    "publish_run",
    "reading",
    "transaction",
    "upgrade",
]
