"""Alembic migrations, carried inside the package."""
