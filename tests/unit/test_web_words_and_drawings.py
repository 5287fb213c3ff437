"""How pages say days, money and chances, read forms, and draw."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from starlette.datastructures import FormData

from earlyflag.web import charts, wording
from earlyflag.web.forms import Field, options, read
from earlyflag.web.rendering import environment
from earlyflag.web.security import Door


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "fewer than 1 in 100"),
        (0.0049, "fewer than 1 in 100"),
        (0.0104, "about 1 in 100"),
        (0.091, "about 9 in 100"),
        (0.999, "more than 99 in 100"),
    ],
)
def test_a_chance_is_said_over_one_hundred(share: float, said: str) -> None:
    assert wording.in_hundred(share) == said


def test_a_summer_evening_is_said_in_london_time() -> None:
    late = datetime(2027, 6, 30, 23, 30, tzinfo=UTC)
    assert wording.day(late) == "1 July 2027"
    assert wording.moment(late) == "1 July 2027, 00:30"
    assert wording.day(None) == "not known"


@pytest.mark.parametrize(
    ("pence", "said"), [(120450, "£1,204.50"), (-1200, "−£12"), (0, "£0"), (None, "")]
)
def test_pence_are_said_as_pounds(pence: int | None, said: str) -> None:
    assert wording.pounds(pence) == said


def test_one_is_not_said_as_many() -> None:
    assert wording.plural(1, "flag") == "1 flag"
    assert wording.plural(1200, "flag") == "1,200 flags"


FIELDS = (
    Field("day", "Day", kind="date", missing="Enter the day"),
    Field("code", "Code", kind="radios", missing="Select one", options=options({"a": "A"})),
    Field("note", "Note", max_length=5),
)


@given(
    st.dictionaries(
        st.sampled_from(["day-day", "day-month", "day-year", "code", "note", "other"]), st.text()
    )
)
def test_no_input_breaks_a_form(data: dict[str, str]) -> None:
    form = read(FIELDS, FormData(data))
    assert form.text("code") in ("", "a")
    assert form.day("day") is None or isinstance(form.day("day"), date)
    assert all(item.error for item in form.errors)


def test_a_choice_that_was_not_offered_is_not_taken() -> None:
    form = read(FIELDS, FormData({"code": "b"}))
    assert form.text("code") == ""
    assert form.field("code").error == "Select one"


def test_bars_escape_what_they_are_given_and_carry_a_description() -> None:
    drawing = charts.bars("x", "<b>", [charts.Bar("<script>", 1.0, "&")], signed=True)
    assert "<script>" not in drawing
    assert "<desc" in drawing
    assert "style=" not in drawing


@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=8))
def test_bars_stay_inside_their_drawing(values: list[float]) -> None:
    drawing = charts.bars("x", "t", [charts.Bar("a", value, "v") for value in values])
    for part in drawing.split("<rect")[1:]:
        start = float(part.split(' x="')[1].split('%"')[0])
        length = float(part.split(' width="')[1].split('%"')[0])
        assert start >= 0
        assert start + length <= charts.BARS_WIDTH + 0.1


def test_drawings_grow_with_the_page_while_their_texts_keep_the_size_of_its_own() -> None:
    points = [charts.Bar("January", 1.0, "1%"), charts.Bar("June", 2.0, "2%")]
    for drawing in (charts.bars("x", "t", points), charts.line("y", "t", points)):
        assert 'width="100%"' in drawing
        assert "viewBox" not in drawing


def test_a_value_that_the_view_does_not_have_is_never_printed_as_nothing() -> None:
    template = environment().from_string("{% if missing %}a{% endif %}{{ missing }}")
    with pytest.raises(UndefinedError, match="missing"):
        template.render()


@pytest.mark.parametrize(
    ("origin", "host", "known"),
    [
        ("https://flags.example", "flags.example", True),
        ("https://flags.example", "127.0.0.1", False),
        ("http://127.0.0.1:8000", "localhost:9000", True),
        ("http://127.0.0.1:8000", "rebound.example:8000", False),
    ],
)
def test_only_our_own_host_names_are_answered(origin: str, host: str, known: bool) -> None:
    assert Door(origin).knows_host(host) is known
