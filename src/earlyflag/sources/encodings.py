"""What a text file is made of: its encoding, line endings and delimiter, found in one pass."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 20

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Two to four bytes that are one character in UTF-8 and hardly ever a run of Latin letters.
MULTIBYTE = re.compile(
    rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


@dataclass(frozen=True, slots=True)
class Nature:
    """What one pass over a file found.

    Attributes
    ----------
    encoding : `utf-8`, `utf-8-sig`, `utf-16` or `cp1252`
    mixed : some lines are no text in that encoding
    newlines, returns, pairs : counts of LF, CR and CR LF
    quotes : count of double quotes
    nulls : whether there is a NUL byte
    """

    encoding: str
    mixed: bool
    newlines: int
    returns: int
    pairs: int
    quotes: int
    nulls: bool
    ends_open: bool

    @property
    def lines(self) -> int:
        """How many lines the file has, a last one without a line ending included."""
        return self.newlines + (self.returns - self.pairs) + int(self.ends_open)

    @property
    def one_line_ending(self) -> bool:
        """Whether every line ends alike, in LF or in CR LF."""
        return self.returns == 0 or self.returns == self.pairs == self.newlines


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as delivered."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def chunks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes in pieces of one mebibyte."""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def examine(path: Path, declared: str | None = None) -> Nature:
    """Find a file's encoding and count its line endings and quotes.

    A byte order mark decides; else valid UTF-8 is UTF-8; else a file with no UTF-8 sequence at
    all is Windows-1252 (which holds all of Latin-1's letters); else it is UTF-8 with lines that
    cannot be read, which are rejected one by one.

    Parameters
    ----------
    declared : the encoding the mapping sets, which is then not guessed
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    valid, multibyte, start, last = True, False, b"", b""
    newlines = returns = pairs = quotes = 0
    nulls = False
    for chunk in chunks(path):
        start = start or chunk[:4]
        newlines += chunk.count(b"\n")
        quotes += chunk.count(b'"')
        nulls = nulls or b"\0" in chunk
        if b"\r" in chunk or last == b"\r":
            returns += chunk.count(b"\r")
            pairs += chunk.count(b"\r\n") + int(last == b"\r" and chunk[:1] == b"\n")
        if not chunk.isascii() or not valid or decoder.getstate()[0]:
            multibyte = multibyte or MULTIBYTE.search(chunk) is not None
            valid = valid and _decodes(decoder, chunk)
        last = chunk[-1:]
    valid = valid and _decodes(decoder, b"", final=True)
    encoding = declared or _encoding(start, valid, multibyte)
    return Nature(
        encoding=encoding,
        mixed=not valid and encoding in {"utf-8", "utf-8-sig"},
        newlines=newlines,
        returns=returns,
        pairs=pairs,
        quotes=quotes,
        nulls=nulls,
        ends_open=last not in {b"", b"\n", b"\r"},
    )


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(start: bytes, valid: bool, multibyte: bool) -> str:
    for mark, encoding in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    return "utf-8" if valid or multibyte else "cp1252"


DELIMITERS = (",", ";", "\t", "|")


def delimiter_of(header: str, expected: frozenset[str]) -> str:
    """Return the delimiter that parts a header line into the most expected names.

    Parameters
    ----------
    expected : lower-case column names that the contract or the mapping knows
    """

    def found(delimiter: str) -> tuple[int, int]:
        parts = [part.strip().strip('"').strip().lower() for part in header.split(delimiter)]
        return (sum(part in expected for part in parts), len(parts))

    return max(DELIMITERS, key=found)
