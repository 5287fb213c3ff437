"""Forms as declarations: what a field is called, what it takes, and what is said when it is wrong.

A form without values shows nothing chosen. What somebody typed is kept when it is sent back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, TypeVar

from starlette.datastructures import FormData

Kind = Literal[
    "text", "textarea", "radios", "select", "checkboxes", "date", "file", "password", "hidden"
]
CodeT = TypeVar("CodeT", bound=str)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be chosen."""

    value: str
    text: str
    hint: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form.

    Attributes
    ----------
    missing : what is said when nothing was given; blank means that the field may stay empty
    typed : the text to show again, for a date its day, month and year
    """

    name: str
    label: str
    kind: Kind = "text"
    missing: str = ""
    hint: str = ""
    options: tuple[Option, ...] = ()
    max_length: int = 2000
    width: str = ""
    autocomplete: str = ""
    numeric: bool = False
    typed: tuple[str, ...] = ("",)
    error: str = ""

    @property
    def first_id(self) -> str:
        """The id that the error summary points at."""
        return f"{self.name}-day" if self.kind == "date" else self.name

    @property
    def text(self) -> str:
        """The single text to show again."""
        return self.typed[0]


@dataclass(frozen=True, slots=True)
class Form:
    """A list of questions with what was answered and what is wrong with it."""

    fields: tuple[Field, ...]
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Field, ...]:
        """The fields that are wrong, in the order of the page."""
        return tuple(item for item in self.fields if item.error)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.errors

    def text(self, name: str) -> str:
        """Return the answer to a text, radios, select or password field."""
        return str(self.values.get(name) or "")

    def chosen(self, name: str) -> tuple[str, ...]:
        """Return the answers to a checkboxes field."""
        value = self.values.get(name)
        return tuple(value) if isinstance(value, tuple) else ()

    def day(self, name: str) -> date | None:
        """Return the answer to a date field."""
        value = self.values.get(name)
        return value if isinstance(value, date) else None

    def with_error(self, name: str, error: str) -> Form:
        """Return the form with something said about one field."""
        return replace(
            self,
            fields=tuple(
                replace(item, error=error) if item.name == name else item for item in self.fields
            ),
        )

    def field(self, name: str) -> Field:
        """Return one field, for a page that lays the form out itself."""
        return next(item for item in self.fields if item.name == name)


def options(
    codes: Mapping[CodeT, str], hints: Mapping[CodeT, str] | None = None
) -> tuple[Option, ...]:
    """Return the choices of a list of codes and their words."""
    known = hints or {}
    return tuple(Option(code, text, known.get(code, "")) for code, text in codes.items())


def read(fields: Sequence[Field], data: FormData) -> Form:
    """Return the form with its answers read and its errors said."""
    readers: dict[str, Callable[[Field, FormData], tuple[Field, object]]] = {
        "date": _read_date,
        "checkboxes": _read_checkboxes,
        "radios": _read_choice,
        "select": _read_choice,
    }
    filled: list[Field] = []
    values: dict[str, object] = {}
    for item in fields:
        if item.kind == "file":
            filled.append(item)
            continue
        done, value = readers.get(item.kind, _read_text)(item, data)
        filled.append(done)
        values[item.name] = value
    return Form(tuple(filled), values)


def _one(data: FormData, name: str) -> str:
    value = data.get(name)
    return value.strip() if isinstance(value, str) else ""


def _read_text(item: Field, data: FormData) -> tuple[Field, object]:
    raw = data.get(item.name)
    value = raw if isinstance(raw, str) else ""
    if item.kind != "password":
        value = value.strip()
    error = ""
    if not value:
        error = item.missing
    elif len(value) > item.max_length:
        error = f"{item.label} must be {item.max_length:,} characters or fewer"
    shown = "" if item.kind == "password" else value
    return replace(item, typed=(shown,), error=error), value


def _read_choice(item: Field, data: FormData) -> tuple[Field, object]:
    value = _one(data, item.name)
    known = {option.value for option in item.options}
    error = "" if value in known else item.missing
    marked = tuple(replace(option, chosen=option.value == value) for option in item.options)
    if value and value not in known:
        error = item.missing or f"Select one of the choices for “{item.label}”"
        value = ""
    return replace(item, options=marked, error=error), value


def _read_checkboxes(item: Field, data: FormData) -> tuple[Field, object]:
    sent = [value for value in data.getlist(item.name) if isinstance(value, str)]
    known = {option.value for option in item.options}
    values = tuple(value for value in sent if value in known)
    marked = tuple(replace(option, chosen=option.value in values) for option in item.options)
    return replace(item, options=marked, error="" if values else item.missing), values


def _read_date(item: Field, data: FormData) -> tuple[Field, object]:
    typed = tuple(_one(data, f"{item.name}-{part}") for part in ("day", "month", "year"))
    if not any(typed):
        return replace(item, typed=typed, error=item.missing), None
    try:
        value = date(int(typed[2]), int(typed[1]), int(typed[0]))
    except ValueError:
        error = f"{item.label} must be a real date, such as 27 3 2027"
        return replace(item, typed=typed, error=error), None
    return replace(item, typed=typed), value
