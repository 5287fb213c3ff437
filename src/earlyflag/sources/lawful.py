"""The lawful basis of each table: on record before a row of it is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from earlyflag.core.errors import LawfulBasisMissing
from earlyflag.core.settings import LawfulBasis
from earlyflag.sources.schema import TABLES


def check_lawful_bases(
    tables: tuple[str, ...], bases: Mapping[str, LawfulBasis], text: str | None
) -> dict[str, str]:
    """Return the basis on which each table is read, or refuse.

    Parameters
    ----------
    text : a basis for this delivery, or a file that holds it

    Raises
    ------
    LawfulBasisMissing
        A table has no complete basis in the settings and none was given for the delivery.
    """
    given = _basis_text(text)
    found, missing = {}, []
    for name in tables:
        basis = bases.get(name)
        if basis is not None and basis.is_complete:
            found[name] = (
                f"{basis.gateway}; approved by {basis.approved_by} on {basis.approved_on}; "
                f"impact assessment {basis.impact_assessment}"
            )
        elif given:
            found[name] = given
        else:
            missing.append(name)
    if missing:
        keys = ", ".join(f"[{TABLES[name].lawful_basis}]" for name in missing)
        raise LawfulBasisMissing(
            f"{len(missing)} of {len(tables)} tables have no lawful basis, so nothing was read. "
            f"Fill in gateway, approved_by, approved_on and impact_assessment in settings.toml "
            f"under {keys}, or name the basis of this delivery with --lawful-basis."
        )
    return found


def _basis_text(text: str | None) -> str:
    if not text or not text.strip():
        return ""
    try:
        path = Path(text)
        return path.read_text(encoding="utf-8").strip() if path.is_file() else text.strip()
    except (OSError, ValueError):
        return text.strip()  # Too long for a path, or no UTF-8: it is the text itself.
