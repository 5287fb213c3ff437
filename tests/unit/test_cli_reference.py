"""The generated reference pages stand in the repository as the program would write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from earlyflag.cli.reference import pages

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
PAGES = pages()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_reference_page_is_what_make_docs_writes(name: str):
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name]


def test_every_promised_command_has_a_section():
    promised = (
        "synth", "ingest", "link", "link quality", "link sample", "features", "train", "promote",
        "score", "scores export", "capacity", "models compare", "serve", "demo", "audit verify",
        "subject-access", "suppress", "erase",
    )  # fmt: skip
    for command in promised:
        assert f"## `earlyflag {command}`" in PAGES["commands.md"]


def test_every_setting_is_listed_with_its_variable():
    assert (
        "| `retention.scores_months` | `24` | `EARLYFLAG_RETENTION__SCORES_MONTHS` |"
        in (PAGES["settings.md"])
    )
    assert "`EARLYFLAG_CAPACITY`" in PAGES["settings.md"]
