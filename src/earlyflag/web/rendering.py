"""Templates: one environment, one way to turn a typed view into a page."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, Environment, PackageLoader, PrefixLoader, UndefinedError

from earlyflag.web import wording

STATIC = Path(__file__).parent / "static"


class LoudUndefined(ChainableUndefined):
    """May be asked about (the components do), but never printed: a blank would hide a mistake."""

    def __str__(self) -> str:
        """Refuse to be printed."""
        raise UndefinedError(f"{self._undefined_name!r} is printed, but the view has no such value")

    __html__ = __str__


@cache
def environment() -> Environment:
    """Return the environment with our templates and the component macros."""
    made = Environment(
        loader=PrefixLoader(
            {
                "govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"),
                "earlyflag": PackageLoader("earlyflag.web"),
            }
        ),
        autoescape=True,
        auto_reload=False,  # a page asks for dozens of macros; none changes while we serve
        undefined=LoudUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        day=wording.day,
        moment=wording.moment,
        pounds=wording.pounds,
        percent=wording.percent,
        words=wording.words,
    )
    made.globals.update(
        plural=wording.plural,
        bands=wording.BANDS,
        band_colours=wording.BAND_COLOURS,
        not_safe=wording.NOT_SAFE,
        no_application=wording.NO_APPLICATION,
    )
    return made


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One entry of the service navigation."""

    text: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page carries around its content."""

    borough_name: str
    team_name: str
    signed_in_as: str
    csrf_token: str
    navigation: tuple[NavigationItem, ...]
    is_demo: bool
    notice: str = ""


def render(template: str, frame: Frame, view: Any) -> str:
    """Return a page: `view` is a dataclass, whose fields the template sees by name."""
    names = {item.name: getattr(view, item.name) for item in fields(view)}
    return environment().get_template(f"earlyflag/{template}").render(frame=frame, **names)
