"""The careful reader: repairs what is declared repairable in a CSV and sets bad lines aside.

It writes a clean copy that the fast reader takes in at full speed, remembers which line each
record of the copy came from, and lists every line that no reader could take, with its text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from earlyflag.sources.encodings import chunks

LONGEST_LINE = 200_000
MOST_LINES_A_RECORD = 50


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record: where, why, and what it says."""

    line: int
    rule: str
    raw: str


@dataclass(slots=True)
class LineMap:
    """From the number of a record (0 is the first after the header) to its line in the file."""

    records: list[int] = field(default_factory=lambda: [0])
    offsets: list[int] = field(default_factory=lambda: [2])

    def note(self, record: int, line: int) -> None:
        """Remember that a record stands on a line, where that does not follow from the last."""
        offset = line - record
        if offset != self.offsets[-1]:
            self.records.append(record)
            self.offsets.append(offset)

    def line(self, record: int) -> int:
        """Return the line of a record."""
        return record + self.offsets[bisect_right(self.records, record) - 1]


@dataclass(slots=True)
class Cleaned:
    """What the careful reader leaves behind: counts of records, the map and the bad lines."""

    records: int = 0
    lines: LineMap = field(default_factory=LineMap)
    bad: list[BadLine] = field(default_factory=list)


class Grammar:
    """What a record looks like with one delimiter: whole, still open, or broken."""

    def __init__(self, delimiter: str, width: int, *, quoted: bool) -> None:
        d = re.escape(delimiter)
        cell = rf'(?:"(?:[^"]|"")*"|[^"{d}]*)'
        self.width = width
        self.delimiter = delimiter
        self.quoted = quoted
        self.whole = re.compile(rf"{cell}(?:{d}{cell})*")
        self.open = re.compile(rf'(?:{cell}{d})*"(?:[^"]|"")*')

    def is_record(self, line: str) -> bool:
        """Whether a text is one record with the header's number of fields.

        Delimiters after the last field, which spreadsheets like to leave, are no further fields.
        """
        if not self.quoted or '"' not in line:
            found = line.count(self.delimiter) + 1
        elif self.whole.fullmatch(line) is not None:
            found = len(self.fields(line))
        else:
            return False
        spare = found - self.width
        return spare == 0 or (spare > 0 and line.endswith(self.delimiter * spare))

    def may_continue(self, line: str) -> bool:
        """Whether a text ends inside a quoted field."""
        return self.quoted and '"' in line and self.open.fullmatch(line) is not None

    def split_header(self, line: str) -> list[str]:
        """Return the names of a header line, whose number is not known beforehand."""
        if self.quoted and '"' in line and self.whole.fullmatch(line) is None:
            return line.split(self.delimiter)
        return self.fields(line)

    def fields(self, line: str) -> list[str]:
        """Return the fields of a well-formed line, unquoted."""
        if not self.quoted or '"' not in line:
            return line.split(self.delimiter)
        cells: list[str] = []
        position = 0
        while position <= len(line):
            if line.startswith('"', position):
                end = position + 1
                while not (line[end] == '"' and line[end + 1 : end + 2] != '"'):
                    end += 2 if line[end] == '"' else 1
                cells.append(line[position + 1 : end].replace('""', '"'))
                position = end + 1
            else:
                end = line.find(self.delimiter, position)
                end = len(line) if end < 0 else end
                cells.append(line[position:end])
                position = end
            position += 1
        return cells


def split_lines(path: Path, encoding: str) -> Iterator[tuple[str, str | None]]:
    """Yield each line without its ending, and the rule it breaks, if it cannot be read.

    LF, CR LF and a CR alone all end a line.
    """
    if encoding == "utf-16":
        yield from _decoded_lines(path)
        return
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    rest = b""
    for chunk in chunks(path):
        data = rest + chunk
        # A CR at the very end may be half of a CR LF: it waits for the next piece.
        held = data.endswith(b"\r")
        pieces = (data[:-1] if held else data).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = pieces.split(b"\n")
        rest += b"\r" if held else b""
        for line in lines:
            yield _decode(line, codec)
    if rest.endswith(b"\r"):
        rest = rest[:-1]
        yield _decode(rest, codec)
    elif rest:
        yield _decode(rest, codec)


def _decode(line: bytes, codec: str) -> tuple[str, str | None]:
    if len(line) > LONGEST_LINE:
        return line[:2000].decode(codec, "backslashreplace"), "line_too_long"
    try:
        text = line.decode(codec)
    except UnicodeDecodeError:
        return line.decode(codec, "backslashreplace"), "encoding"
    return text, "encoding" if "\0" in text else None


def _decoded_lines(path: Path) -> Iterator[tuple[str, str | None]]:
    with path.open("r", encoding="utf-16", errors="replace", newline=None) as stream:
        for line in stream:
            bad = "encoding" if "\ufffd" in line or "\0" in line else None
            yield line.rstrip("\n"), bad


def header_line(path: Path, encoding: str, skip: int) -> str | None:
    """Return the header's text, or None where the file has none that can be read."""
    for number, (line, problem) in enumerate(split_lines(path, encoding)):
        if number == skip:
            text = line.removeprefix("\ufeff")
            return None if problem or not text.strip() else text
    return None


def clean(path: Path, copy: Path, encoding: str, grammar: Grammar, skip: int) -> Cleaned:
    """Write the readable records of a CSV to a UTF-8 copy with LF endings and no header.

    A record with a quoted line break is kept. A line with a stray quote, or with another number
    of fields than the header, is set aside alone: the next line starts afresh, so that one bad
    quote does not swallow the clean rows after it. Blank lines are no rows.
    """
    cleaned = Cleaned()
    cleaned.lines = LineMap([0], [skip + 2])
    lines = _Lookahead(split_lines(path, encoding))
    for _ in range(skip + 1):
        lines.take()
    with copy.open("w", encoding="utf-8", newline="\n") as stream:
        number = skip + 1
        while (item := lines.take()) is not None:
            number, text, problem = item
            if problem is None and not text.strip():
                continue
            record = text if problem is None and grammar.is_record(text) else None
            if record is None and problem is None and grammar.may_continue(text):
                record = _extended(lines, text, grammar)
            if record is None:
                cleaned.bad.append(BadLine(number, problem or "row_shape", text))
                continue
            cleaned.lines.note(cleaned.records, number)
            cleaned.records += 1
            number += record.count("\n")
            stream.write(record + "\n")
        cleaned.lines.note(cleaned.records, number + 1)
    return cleaned


class _Lookahead:
    """Lines with their numbers, of which some may be looked at before they are taken."""

    def __init__(self, lines: Iterator[tuple[str, str | None]]) -> None:
        self._lines = enumerate(lines, start=1)
        self._seen: list[tuple[int, str, str | None]] = []

    def take(self) -> tuple[int, str, str | None] | None:
        if self._seen:
            return self._seen.pop(0)
        return self._next()

    def peek(self, index: int) -> tuple[int, str, str | None] | None:
        while len(self._seen) <= index:
            item = self._next()
            if item is None:
                return None
            self._seen.append(item)
        return self._seen[index]

    def drop(self, count: int) -> None:
        del self._seen[:count]

    def _next(self) -> tuple[int, str, str | None] | None:
        item = next(self._lines, None)
        return None if item is None else (item[0], *item[1])


def _extended(lines: _Lookahead, text: str, grammar: Grammar) -> str | None:
    """Return the record that the next lines complete, taking them; None where none does."""
    for index in range(MOST_LINES_A_RECORD):
        item = lines.peek(index)
        if item is None or item[2] is not None or len(text) > LONGEST_LINE:
            return None
        text = f"{text}\n{item[1]}"
        if grammar.is_record(text):
            lines.drop(index + 1)
            return text
        if not grammar.may_continue(text):
            return None
    return None
