"""How names, postcodes and references are compared when somebody looks a household up."""

from __future__ import annotations

import re
import unicodedata

_NOT_WORDS = re.compile(r"[^a-z0-9 ]+")
_SPACES = re.compile(r"\s+")


def name_key(name: str) -> str:
    """Return a name in lower case without accents, marks or doubled spaces."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _SPACES.sub(" ", _NOT_WORDS.sub(" ", plain.replace("'", ""))).strip()


def postcode_key(postcode: str) -> str:
    """Return a postcode in capitals without spaces."""
    return _SPACES.sub("", postcode).upper()


def reference_key(reference: str) -> str:
    """Return a reference in capitals without spaces; a UPRN's leading zeros stay."""
    return _SPACES.sub("", reference).upper()


def uprn_key(uprn: str) -> str:
    """Return a UPRN of twelve digits."""
    return reference_key(uprn).zfill(12)
