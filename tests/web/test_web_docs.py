"""The reference page says what the API is; it is generated, and this fails when it drifts."""

from __future__ import annotations

from pathlib import Path

from earlyflag.web.api.reference import markdown
from earlyflag.web.assets.__main__ import SOURCES, is_up_to_date

DOCS = Path(__file__).parents[2] / "docs"


def test_the_api_reference_is_what_the_api_describes() -> None:
    written = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    assert written == markdown(), "Run: python -m earlyflag.web.api.reference"


def test_the_assets_were_built_from_their_sources() -> None:
    assert is_up_to_date(), "Run: python -m earlyflag.web.assets"


def test_the_lock_of_the_assets_names_no_registry() -> None:
    assert "http" not in (SOURCES / "package-lock.json").read_text(encoding="utf-8")
