"""SQLAlchemy tables, repositories and migrations of the casework database."""
