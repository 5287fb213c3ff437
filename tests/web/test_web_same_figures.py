"""A household's page, its API answer and the printed pack tell the same figures."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path

import pytest

from earlyflag.store.terms import Scope
from earlyflag.web.api.schemas import ScoreOut
from earlyflag.web.wording import in_hundred, percent
from tests.web.conftest import World, make_world
from tests.web.test_web_handed_in import assigned_list
from tests.web.test_web_reads_together import make_key


def plain(text: str) -> str:
    """Return text without tags and with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def answer_of(world: World, secret: str, household: str) -> ScoreOut:
    answer = world.client().get(
        f"/api/v1/households/{household}/score", headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 200, answer.text
    return ScoreOut.model_validate(answer.json())


@pytest.mark.needs_pango
def test_page_api_and_pdf_show_the_same_figures(borough_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("weasyprint")
    from pypdf import PdfReader

    from earlyflag.reporting import pdf

    if not pdf.is_available():
        pytest.skip("Pango is not installed")
    world = make_world(borough_file, tmp_path, print_pack=pdf.tagged_pdf)
    secret, _ = make_key(world, Scope.HOUSEHOLDS_READ)
    manager, second = world.browser("manager"), world.browser("second")
    address = assigned_list(world, manager)
    second.post_form(address, f"{address}/countersign", {})
    document = PdfReader(io.BytesIO(second.get(f"{address}/pack.pdf").content))
    printed = plain(" ".join(sheet.extract_text() for sheet in document.pages))
    households = sorted(
        set(re.findall(r'href="/households/([A-Z0-9]+)"', manager.get(address).text))
    )
    assert households
    for household in households:
        score = answer_of(world, secret, household)
        total = score.base_log_odds + sum(reason.contribution for reason in score.reasons)
        assert total == pytest.approx(score.log_odds, abs=1e-9)
        page = manager.get(f"/households/{household}")
        assert page.status_code == 200
        shown = plain(page.text)
        assert in_hundred(score.probability).removeprefix("about ") in shown
        assert percent(score.probability) in shown
        assert score.model_version in shown
        for reason in score.reasons:
            assert reason.sentence in shown
        raising = [reason for reason in score.reasons if reason.direction == "raises"]
        assert raising[0].sentence in printed
    world.engine.dispose()
