"""Computes features: the engine alone decides what is visible, families only add it up.

For each phase of cut-offs the ledgers are summed once; then, cut-off by cut-off, the visible
relations are made, every family's statement runs over them, and one table comes out: one row a
household of the spine, one column a feature.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from functools import lru_cache, partial

import sqlglot
from sqlglot import exp

from earlyflag.core.errors import UndeclaredFeature
from earlyflag.features.backends import Backend, Step
from earlyflag.features.declare import Family, Feature
from earlyflag.features.guard import check_family
from earlyflag.features.ledgers import LEDGERS
from earlyflag.features.monthly import MonthlyLedger
from earlyflag.features.periods import index, phases
from earlyflag.features.relations import Relation, relations
from earlyflag.features.together import share_out

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
        take: Callable[[Backend, date], None],
        *,
        also: Iterable[str] = (),
        done: Callable[[date], None] | None = None,
    ) -> None:
        """Compute each cut-off and hand it over.

        Parameters
        ----------
        take : reads the relation `features_at` of the cut-off in the backend it is given; several
            cut-offs may be taken at the same time, in threads of their own
        also : further visible relations that `take` reads
        done : called in this thread after a cut-off was taken
        """
        for day, days in phases(cut_offs).items():
            ledgers = self._ledgers(day, [index(as_of) for as_of in days])
            self._backend.tables([step for ledger in ledgers for step in ledger.once()])
            made = self._needed(relations(day), also)

            def compute(room: Backend, as_of: date) -> None:
                room.tables(self._steps(as_of, made, ledgers))  # noqa: B023
                room.view(RESULT, self._result())
                take(room, as_of)

            with self._backend.rooms(len(days)) as rooms:
                workers = [partial(compute, room) for room in rooms]
                # Closed, it waits for its workers: an error of `done` must not take their rooms.
                with closing(share_out(dict.fromkeys(days, ()), workers)) as taken:
                    for as_of in taken:
                        if done:
                            done(as_of)
            self._backend.drop(
                "cut_off",
                *(name for ledger in ledgers for name in ledger.made),
                *(relation.name for relation in made),
                *(_TABLE + family.name for family, _ in self._families),
            )

    def columns_read(self) -> frozenset[str]:
        """Return the name of every column that the families reach in any table."""
        made = self._needed(relations(1), ())
        found = {name for relation in made for name in _columns_read(relation.sql)}
        for family, _ in self._families:
            for name in set(family.reads) & set(LEDGERS):
                ledger = LEDGERS[name]
                found |= {ledger.key, "happened_on", "known_on", *ledger.carries}
        return frozenset(found)

    def _ledgers(self, day: int, periods: list[int]) -> list[MonthlyLedger]:
        wanted: dict[str, set[str]] = {}
        for family, features in self._families:
            columns = _columns_read(pruned(family.sql, tuple(f.name for f in features)))
            for name in set(family.reads) & set(LEDGERS):
                wanted.setdefault(name, set()).update(columns)
        return [
            MonthlyLedger(LEDGERS[name], day, periods, columns)
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

    def _steps(
        self, as_of: date, made: Iterable[Relation], ledgers: Iterable[MonthlyLedger]
    ) -> list[Step]:
        """Return every step of one cut-off, in order of making."""
        values: dict[str, date | int] = {"as_of": as_of, "period": index(as_of)}
        return [
            Step("cut_off", "SELECT $as_of AS as_of", (), values),
            *(Step(each.name, each.sql, each.reads, values) for each in made),
            *(step for ledger in ledgers for step in ledger.at(index(as_of))),
            *(
                Step(_TABLE + family.name, pruned(family.sql, kept), family.reads)
                for family, kept in self._kept()
                if kept
            ),
        ]

    def _kept(self) -> Iterator[tuple[Family, tuple[str, ...]]]:
        """Return each family and those of its features whose tables were delivered."""
        for family, features in self._families:
            yield family, tuple(f.name for f in features if not self._absent(f))

    def _result(self) -> str:
        """Return SQL that joins every family's columns to the spine, typed and in order."""
        chosen = []
        joins = []
        for (family, features), (_, kept) in zip(self._families, self._kept(), strict=True):
            chosen += [
                f"CAST({family.name}.{feature.name} AS DOUBLE) AS {feature.name}"
                if feature.name in kept
                else f"CAST(NULL AS DOUBLE) AS {feature.name}"
                for feature in features
            ]
            if kept:
                joins.append(
                    f"LEFT JOIN {_TABLE}{family.name} AS {family.name} "
                    f"ON {family.name}.household_id = spine.household_id"
                )
        return (
            f"SELECT {', '.join(['spine.household_id', 'c.as_of', *chosen])} "
            f"FROM spine_at AS spine CROSS JOIN cut_off AS c {' '.join(joins)}"
        )

    def _absent(self, feature: Feature) -> bool:
        """Whether the tables that a feature needs were never delivered."""
        gone = [table in self._missing for table in feature.sources]
        return all(gone) if feature.needs == "any" else any(gone)


@lru_cache(maxsize=256)
def pruned(sql: str, names: tuple[str, ...]) -> str:
    """Return a family's statement with the household and the named columns alone."""
    tree = sqlglot.parse_one(sql, dialect="duckdb", into=exp.Select)
    kept = {"household_id", *names}
    tree.set("expressions", [node for node in tree.selects if node.alias_or_name in kept])
    return tree.sql(dialect="duckdb")


@lru_cache(maxsize=256)
def _columns_read(sql: str) -> frozenset[str]:
    """Return every column name that a statement mentions."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    using = {name.name for join in tree.find_all(exp.Join) for name in join.args.get("using") or ()}
    return frozenset(using | {node.name for node in tree.find_all(exp.Column)})
