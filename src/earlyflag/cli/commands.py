"""Brings every command to the program; a new room of commands is one line here."""

from earlyflag.cli import data, demo, keeping, linking, models, reference, serving  # noqa: F401
