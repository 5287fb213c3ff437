"""The counts behind a ward's rates: what can be shown of a value that many households make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from earlyflag.core.terms import Evidence
from earlyflag.features.backends import Backend, DuckDBBackend
from earlyflag.features.catalogue import CATALOGUE
from earlyflag.features.engine import Engine
from earlyflag.features.families import area

if TYPE_CHECKING:
    import duckdb

_COUNTED = {
    "ward_duty_rate_12m": ("were owed a homelessness duty", "duties"),
    "ward_recovery_rate_12m": ("were summoned for council tax", "summoned"),
}
"""Feature -> what happened, and the count's name in `area.COUNTS`."""


def ward_counts(
    con: duckdb.DuckDBPyConnection,
    missing: Collection[str],
    as_of: date,
    features: Iterable[str],
) -> dict[str, dict[str, Evidence]]:
    """Return, by household of `chosen_homes` and feature, how many of its ward it happened to.

    Rows of neighbours are not shown: their counts are all that the value says. A count stands on
    the last day before the cut-off, when it was known; its reference is the ward's code.
    """
    wanted = [name for name in features if not set(CATALOGUE[name].sources).intersection(missing)]
    rows: list[dict[str, Any]] = []

    def take(_: Backend, __: date) -> None:
        found = con.execute(area.COUNTS)
        names = [column[0] for column in found.description]
        rows.extend(dict(zip(names, row, strict=True)) for row in found.fetchall())

    if wanted:
        Engine(DuckDBBackend(con), (), missing).run([as_of], take, also=area.FAMILY.reads)
    day = as_of - timedelta(days=1)
    return {row["household_id"]: {name: _shown(name, row, day) for name in wanted} for row in rows}


def _shown(name: str, row: Mapping[str, Any], day: date) -> Evidence:
    happened, count = _COUNTED[name]
    text = (
        f"{row[count]:,} of the ward's {row['households']:,} households {happened} in 12 months; "
        f"{row[f'borough_{count}']:,} of the borough's {row['borough_households']:,}"
    )
    return Evidence(CATALOGUE[name].sources[0], row["ward_code"], day, day, text, None)
