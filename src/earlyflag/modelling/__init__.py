"""Train, calibrate, judge, explain, register and score models.

The names below are loaded when they are first used: a serving process that asks for the artefact
alone loads no training library.
"""

from __future__ import annotations

from typing import Any

_WHERE = {
    "Specification": "specification",
    "Windows": "windows",
    "windows_of": "windows",
    "Fitted": "training",
    "fit": "training",
    "cross_validated": "development",
    "steps": "training",
    "load_table": "tables",
}

__all__ = [
    "Fitted",
    "Specification",
    "Windows",
    "cross_validated",
    "fit",
    "load_table",
    "steps",
    "windows_of",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
