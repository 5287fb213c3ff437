"""Computes features: the engine alone decides what is visible, families only add it up.

For each phase of cut-offs the ledgers are summed once; then, cut-off by cut-off, the visible
relations are made, every family's statement runs over them, and one table comes out: one row a
household of the spine, one column a feature.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache

import sqlglot
from sqlglot import exp

from earlyflag.core.errors import UndeclaredFeature
from earlyflag.features.backends import Backend
from earlyflag.features.declare import Family, Feature
from earlyflag.features.guard import check_family
from earlyflag.features.ledgers import LEDGERS
from earlyflag.features.monthly import MonthlyLedger
from earlyflag.features.periods import index, phases
from earlyflag.features.relations import Relation, relations

RESULT = "features_at"
"""The relation that holds the features of the cut-off in hand."""

_TABLE = "family_"


class Engine:
    """Computes the features of chosen families in a backend.

    Parameters
    ----------
    backend : holds the contract's views and linkage's views
    families : to compute; each is checked before anything runs
    missing : contract tables that were never delivered; features that need them are NaN
    wanted : the features to compute; all of the families' where None

    Raises
    ------
    UndeclaredFeature
        A family reads what it may not, or computes what it does not declare.
    """

    def __init__(
        self,
        backend: Backend,
        families: Sequence[Family],
        missing: Collection[str] = (),
        wanted: Iterable[str] | None = None,
    ) -> None:
        offered = {*relations(1), *LEDGERS} - {"known_cases"}
        for family in families:
            check_family(family, offered)
        self._backend = backend
        chosen = None if wanted is None else set(wanted)
        declared = {name for family in families for name in family.feature_names}
        if chosen is not None and chosen - declared:
            raise UndeclaredFeature(
                f"{len(chosen - declared)} features are asked for that no family declares: "
                f"{', '.join(sorted(chosen - declared)[:5])}. See docs/reference/features.md."
            )
        self._families = [
            (family, [f for f in family.features if chosen is None or f.name in chosen])
            for family in families
        ]
        self._families = [pair for pair in self._families if pair[1]]
        self._missing = set(missing)

    def run(
        self,
        cut_offs: Iterable[date],
        take: Callable[[date], None],
        *,
        also: Iterable[str] = (),
    ) -> None:
        """Compute each cut-off and hand it over: `take(as_of)` reads the relation `features_at`.

        Parameters
        ----------
        also : further visible relations that `take` reads
        """
        for day, days in phases(cut_offs).items():
            ledgers = self._ledgers(day, [index(as_of) for as_of in days])
            made = self._needed(relations(day), also)
            for as_of in days:
                self._prepare(as_of, made)
                for ledger in ledgers:
                    ledger.at(index(as_of))
                self._compute()
                take(as_of)
            for ledger in ledgers:
                ledger.close()
            self._backend.drop(
                "cut_off",
                *(relation.name for relation in made),
                *(_TABLE + family.name for family, _ in self._families),
            )

    def _ledgers(self, day: int, periods: list[int]) -> list[MonthlyLedger]:
        wanted: dict[str, set[str]] = {}
        for family, features in self._families:
            columns = _columns_read(pruned(family.sql, tuple(f.name for f in features)))
            for name in set(family.reads) & set(LEDGERS):
                wanted.setdefault(name, set()).update(columns)
        return [
            MonthlyLedger(self._backend, LEDGERS[name], day, periods, columns)
            for name, columns in sorted(wanted.items())
        ]

    def _needed(self, offered: Mapping[str, Relation], also: Iterable[str]) -> list[Relation]:
        """Return the relations that are read, and those these read, in order of making."""
        wanted = {"homes_at", "spine_at", *also}
        for family, _ in self._families:
            wanted |= set(family.reads)
        for name in reversed(list(offered)):
            if name in wanted:
                wanted |= set(offered[name].reads)
        return [relation for name, relation in offered.items() if name in wanted]

    def _prepare(self, as_of: date, made: Iterable[Relation]) -> None:
        values: dict[str, date | int] = {"as_of": as_of, "period": index(as_of)}
        self._backend.table("cut_off", "SELECT $as_of AS as_of", values)
        for relation in made:
            self._backend.table(relation.name, relation.sql, values)

    def _compute(self) -> None:
        """Run every family and join their columns to the spine, typed and in order."""
        chosen = []
        joins = []
        for family, features in self._families:
            kept = [feature.name for feature in features if not self._absent(feature)]
            chosen += [
                f"CAST({family.name}.{feature.name} AS DOUBLE) AS {feature.name}"
                if feature.name in kept
                else f"CAST(NULL AS DOUBLE) AS {feature.name}"
                for feature in features
            ]
            if kept:
                self._backend.table(_TABLE + family.name, pruned(family.sql, tuple(kept)))
                joins.append(
                    f"LEFT JOIN {_TABLE}{family.name} AS {family.name} "
                    f"ON {family.name}.household_id = spine.household_id"
                )
        self._backend.view(
            RESULT,
            f"SELECT {', '.join(['spine.household_id', 'c.as_of', *chosen])} "
            f"FROM spine_at AS spine CROSS JOIN cut_off AS c {' '.join(joins)}",
        )

    def _absent(self, feature: Feature) -> bool:
        """Whether the tables that a feature needs were never delivered."""
        gone = [table in self._missing for table in feature.sources]
        return all(gone) if feature.needs == "any" else any(gone)


@lru_cache(maxsize=256)
def pruned(sql: str, names: tuple[str, ...]) -> str:
    """Return a family's statement with the household and the named columns alone."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    kept = {"household_id", *names}
    tree.set("expressions", [node for node in tree.selects if node.alias_or_name in kept])
    return tree.sql(dialect="duckdb")


def _columns_read(sql: str) -> set[str]:
    """Return every column name that a statement mentions."""
    return {node.name for node in sqlglot.parse_one(sql, dialect="duckdb").find_all(exp.Column)}
