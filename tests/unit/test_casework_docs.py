"""The pages of the docs that are drawn from the code are as the code says."""

from __future__ import annotations

from pathlib import Path

from earlyflag.casework.reference import roles_page
from earlyflag.casework.transitions import diagram

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_roles_is_as_the_table_says() -> None:
    page = (DOCS / "reference" / "roles.md").read_text()
    assert page == roles_page(), "Write the reference pages anew: make docs"


def test_the_diagram_of_the_case_life_is_as_the_transitions_say() -> None:
    page = (DOCS / "explanation" / "case-life.md").read_text()
    assert f"```mermaid\n{diagram()}\n```" in page
