"""The model card as sections of a page: its headings listed, its tables fit for a phone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from earlyflag.web.pages.reports import Part, Section
from earlyflag.web.wording import with_days

MOST_PARTS = 3
"""A section with more parts than this shows each behind a line that opens it."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_FRAME = '<div class="ef-scroll" tabindex="0" role="region" aria-label="{}">'
_CAPTION = '<caption class="govuk-visually-hidden">{}</caption>'
_ROLES = {
    "table_open": "table",
    "thead_open": "rowgroup",
    "tbody_open": "rowgroup",
    "tr_open": "row",
}


def card_sections(markdown: str) -> tuple[Section, ...]:
    """Return the card's sections, the opening one under the card's own title.

    Parameters
    ----------
    markdown : one title (#), sections (##) and their parts (###)
    """
    opening, *others = re.split(r"^## +", with_days(markdown), flags=re.MULTILINE)
    title, _, text = opening.strip().partition("\n")
    heading = title.removeprefix("#").strip() or "Model card"
    first = Section(heading, prose=safe_markdown(text, heading), anchor="card")
    rest = [_section(number, part) for number, part in enumerate(others, start=1)]
    return (first, *rest) if opening.strip() else tuple(rest)


def _section(number: int, text: str) -> Section:
    heading, _, body = text.partition("\n")
    heading = heading.strip()
    lead, *parts = re.split(r"^### +", body, flags=re.MULTILINE)
    if len(parts) <= MOST_PARTS:
        return Section(heading, prose=safe_markdown(body, heading), anchor=f"card-{number}")
    return Section(
        heading,
        prose=safe_markdown(lead, heading),
        anchor=f"card-{number}",
        parts=tuple(_part(heading, part) for part in parts),
    )


def _part(section: str, text: str) -> Part:
    heading, _, body = text.partition("\n")
    heading = heading.strip()
    return Part(heading, safe_markdown(body, f"{section}, {heading}"))


def safe_markdown(text: str, about: str) -> Markup:
    """Return Markdown as HTML; HTML inside it is shown as text, never rendered.

    Parameters
    ----------
    about : what the tables are about, for whoever hears the page
    """
    tokens = _MARKDOWN.parse(text)
    drawn = _MARKDOWN.renderer.render(_with_tables_labelled(tokens, about), _MARKDOWN.options, {})
    return Markup(drawn)  # noqa: S704 (rendered with HTML off; the labels are escaped)


def _with_tables_labelled(tokens: Sequence[Token], about: str) -> list[Token]:
    """Return the tokens with each table in a frame, its cells knowing their headings."""
    done: list[Token] = []
    tables = cell = 0
    headings: list[str] = []
    for index, token in enumerate(tokens):
        if token.type in _ROLES:
            token.attrSet("role", _ROLES[token.type])
        if token.type == "table_open":
            tables, headings = tables + 1, []
            label = str(escape(about if tables == 1 else f"{about}, table {tables}"))
            token.attrSet("class", "ef-stack")
            done += [_raw(_FRAME.format(label)), token, _raw(_CAPTION.format(label))]
            continue
        if token.type == "tr_open":
            cell = 0
        elif token.type == "th_open":
            headings.append(tokens[index + 1].content)
            token.attrSet("scope", "col")
            token.attrSet("role", "columnheader")
        elif token.type in ("td_open", "td_close"):
            _place(token, headings, cell)
            cell += token.type == "td_close"
        done.append(token)
        if token.type == "table_close":
            done.append(_raw("</div>"))
    return done


def _place(token: Token, headings: Sequence[str], cell: int) -> None:
    """Make the first cell of a row its heading, and tell the others under which they stand."""
    if cell == 0:
        token.tag = "th"
    if token.type == "td_close":
        return
    token.attrSet("role", "rowheader" if cell == 0 else "cell")
    if cell == 0:
        token.attrSet("scope", "row")
    else:
        token.attrSet("data-label", headings[cell])


def _raw(html: str) -> Token:
    return Token("html_block", "", 0, content=html)
