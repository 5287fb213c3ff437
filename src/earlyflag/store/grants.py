"""What the application's role may do on PostgreSQL: everything but change the audit."""

from __future__ import annotations

from sqlalchemy import Engine, text

from earlyflag.core.errors import Misused
from earlyflag.store.database import transaction

_GRANTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM {role}",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON audit_checkpoints FROM {role}",
    "REVOKE INSERT, DELETE, TRUNCATE ON audit_head FROM {role}",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM {role}",
)


def grant_application(engine: Engine, role: str) -> None:
    """Give the application's database role what it needs; of the audit it may only insert rows.

    Run it as the owner of the tables, after each upgrade. Upgrades and the audit's retention
    stay with the owner.

    Parameters
    ----------
    role : str
        The name of a role that exists.

    Raises
    ------
    Misused
        The database is SQLite, which has no roles; there the triggers alone guard the audit.
    """
    if engine.dialect.name == "sqlite":
        raise Misused("SQLite has no roles: only PostgreSQL needs this.")
    quoted = engine.dialect.identifier_preparer.quote_identifier(role)
    with transaction(engine) as connection:
        for grant in _GRANTS:
            connection.execute(text(grant.format(role=quoted)))
