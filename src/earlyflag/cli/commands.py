"""Brings every command to the program; a new room of commands is one line here."""

from earlyflag.cli import data, demo, keeping, linking, models, reference, serving, webhooks  # noqa: F401
