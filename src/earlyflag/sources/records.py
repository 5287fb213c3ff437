"""The careful reader: repairs what is declared repairable in a CSV and sets bad lines aside.

It writes a clean copy that the fast reader takes in at full speed, remembers which line each
record of the copy came from, and lists every line that no reader could take, with its text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
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


def blocks(path: Path, encoding: str) -> Iterator[bytes]:
    """Yield a file in pieces of whole lines, each line ended by one LF.

    LF, CR LF and a CR alone all end a line. UTF-16 comes out as UTF-8.
    """
    rest = b""
    for chunk in _utf16_chunks(path) if encoding == "utf-16" else chunks(path):
        data = rest + chunk
        # A CR at the very end may be half of a CR LF: it waits for the next piece.
        held = data.endswith(b"\r")
        if b"\r" in data:
            data = (data[:-1] if held else data).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = data.rfind(b"\n") + 1
        rest = data[end:] + (b"\r" if held else b"")
        if end:
            yield data[:end]
    if rest:
        yield rest.removesuffix(b"\r") + b"\n"


def _utf16_chunks(path: Path) -> Iterator[bytes]:
    with path.open("r", encoding="utf-16", errors="replace", newline="") as stream:
        while text := stream.read(1 << 20):
            yield text.encode("utf-8", "replace")


def split_lines(path: Path, encoding: str) -> Iterator[tuple[str, str | None]]:
    """Yield each line without its ending, and the rule it breaks, if it cannot be read."""
    for block in blocks(path, encoding):
        yield from _lines_of(block, encoding)


def _lines_of(block: bytes, encoding: str) -> Iterator[tuple[str, str | None]]:
    for line in block[:-1].split(b"\n"):
        yield _decode(line, encoding)


def _codec(encoding: str) -> str:
    return "utf-8" if encoding in {"utf-8-sig", "utf-16"} else encoding


def _decode(line: bytes, encoding: str) -> tuple[str, str | None]:
    codec = _codec(encoding)
    if len(line) > LONGEST_LINE:
        return line[:2000].decode(codec, "backslashreplace"), "line_too_long"
    try:
        text = line.decode(codec)
    except UnicodeDecodeError:
        return line.decode(codec, "backslashreplace"), "encoding"
    unreadable = "\0" in text or (encoding == "utf-16" and "\ufffd" in text)
    return text, "encoding" if unreadable else None


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
    lines = _Lines(path, encoding, grammar)
    for _ in range(skip + 1):
        lines.take()
    with copy.open("w", encoding="utf-8", newline="\n") as stream:
        number = skip + 1
        while True:
            if (block := lines.take_plain_block()) is not None:
                number, count, text = block
                cleaned.lines.note(cleaned.records, number)
                cleaned.records += count
                number += count - 1
                stream.write(text)
                continue
            item = lines.take()
            if item is None:
                break
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


class _Lines:
    """A file's lines with their numbers: some may be looked at before they are taken."""

    def __init__(self, path: Path, encoding: str, grammar: Grammar) -> None:
        self._blocks = blocks(path, encoding)
        self._encoding = encoding
        self._grammar = grammar
        self._seen: deque[tuple[int, str, str | None]] = deque()
        self._read = 0

    def take(self) -> tuple[int, str, str | None] | None:
        """Return the next line's number, text and fault; None at the end."""
        return self._seen.popleft() if self._seen or self._read_on() else None

    def peek(self, index: int) -> tuple[int, str, str | None] | None:
        """Return a line further on, which stays to be taken."""
        while len(self._seen) <= index:
            if not self._read_on():
                return None
        return self._seen[index]

    def drop(self, count: int) -> None:
        """Pass over lines that were looked at."""
        for _ in range(count):
            self._seen.popleft()

    def take_plain_block(self) -> tuple[int, int, str] | None:
        """Return the first number, count and text of many lines that are all plain records.

        None where lines are waiting, or where one of the next has a quote or a fault; these are
        then waiting. This is what makes a large file with few faults quick to clean.
        """
        if self._seen:
            return None
        block = next(self._blocks, None)
        if block is None:
            return None
        text = self._plain(block)
        if text is None:
            self._wait(block)
            return None
        first, count = self._read + 1, text.count("\n")
        self._read += count
        return first, count, text

    def _plain(self, block: bytes) -> str | None:
        if b"\0" in block or b"\n\n" in block or (self._grammar.quoted and b'"' in block):
            return None
        try:
            text = block.decode(_codec(self._encoding))
        except UnicodeDecodeError:
            return None
        if self._encoding == "utf-16" and "\ufffd" in text:
            return None
        delimiter, others = self._grammar.delimiter, self._grammar.width - 1
        lines = text[:-1].split("\n")
        plain = all(line.count(delimiter) == others and line for line in lines)
        return text if plain and max(map(len, lines)) * 4 < LONGEST_LINE else None

    def _read_on(self) -> bool:
        block = next(self._blocks, None)
        if block is not None:
            self._wait(block)
        return block is not None

    def _wait(self, block: bytes) -> None:
        for text, problem in _lines_of(block, self._encoding):
            self._read += 1
            self._seen.append((self._read, text, problem))


def _extended(lines: _Lines, text: str, grammar: Grammar) -> str | None:
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
