"""DuckDB and Spark agree on every feature: the same statements, two engines."""

from __future__ import annotations

import warnings
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from earlyflag.features import CATALOGUE
from earlyflag.features.backends import DuckDBBackend, SparkBackend
from earlyflag.features.connection import connect
from earlyflag.features.engine import RESULT, Engine
from earlyflag.features.families import FAMILIES
from earlyflag.features.regional import build_on_spark, export_relations
from tests.feature_cases import AS_OF, FOLDER, HandmadeTables, read_cases, village

pytestmark = pytest.mark.needs_java
EXACT = {"pence", "count", "days", "yes or no", "rank", "people"}
"""Units that must be equal to the last digit; ratios may differ by 1e-9."""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyspark.sql import SparkSession

        made = (
            SparkSession.builder.master("local[2]")
            .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", "1")
            .config("spark.sql.adaptive.enabled", "false")
            .config("spark.sql.codegen.wholeStage", "false")
            .getOrCreate()
        )
    made.sparkContext.setLogLevel("OFF")
    yield made
    made.stop()


def on_duckdb(tables, households, cut_offs: list[date]) -> pd.DataFrame:
    parts: list[pd.DataFrame] = []
    with connect(tables, households, threads=1) as con:
        engine = Engine(DuckDBBackend(con), FAMILIES, tables.missing)
        engine.run(cut_offs, lambda *_: parts.append(con.sql(f"SELECT * FROM {RESULT}").to_df()))
    return pd.concat(parts)


def on_spark(session, relations: Path, missing, cut_offs: list[date]) -> pd.DataFrame:
    backend = SparkBackend(session, relations)
    parts: list[pd.DataFrame] = []

    def take(*_: object) -> None:
        rows = backend.rows(f"SELECT * FROM {RESULT}")
        parts.append(pd.DataFrame(rows, columns=["household_id", "as_of", *CATALOGUE]))

    Engine(backend, FAMILIES, missing).run(cut_offs, take)
    return pd.concat(parts)


def assert_agree(one: pd.DataFrame, other: pd.DataFrame) -> None:
    one, other = (
        frame.assign(as_of=pd.to_datetime(frame["as_of"]).astype("datetime64[s]"))
        .set_index(["household_id", "as_of"])
        .sort_index()
        for frame in (one, other)
    )
    assert one.index.equals(other.index)
    for name, feature in CATALOGUE.items():
        pd.testing.assert_series_equal(
            one[name].astype(float),
            other[name].astype(float),
            check_exact=feature.unit in EXACT,
            rtol=1e-9,
            atol=1e-9,
        )


def test_both_engines_agree_on_every_case(session, tmp_path):
    rows, households = village([*read_cases(), *read_cases(FOLDER / "wards")])
    tables = HandmadeTables(rows)
    export_relations(tables, households, tmp_path)
    cut_offs = [date(2026, 3, 31), AS_OF]
    assert_agree(on_duckdb(tables, households, cut_offs), on_spark(session, tmp_path, (), cut_offs))


def test_spark_writes_the_same_file(session, tmp_path):
    rows, households = village(read_cases())
    export_relations(HandmadeTables(rows), households, tmp_path / "relations")
    chosen = ["council_tax_recovery_stage_12m", "approaches_24m"]
    (path,) = build_on_spark(
        session, tmp_path / "relations", [AS_OF], tmp_path / "out", columns=chosen
    )
    held = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
    assert held.columns == ["household_id", "as_of", *chosen]
    assert len(held.fetchall()) == len(read_cases())


@pytest.mark.slow
def test_both_engines_agree_on_a_borough_of_5000_households(session, tmp_path):
    from earlyflag import linkage, sources, synthetic
    from earlyflag.core.home import Home
    from tests.factories import lawful_bases

    synthetic.write_borough(tmp_path / "extracts", households=5_000, months=36, seed=4)
    home = Home(tmp_path / "home").open()
    sources.ingest(tmp_path / "extracts", home, bases=lawful_bases())
    tables = sources.load(home.tables)
    last = tables.last_known_on.replace(day=1)
    households = linkage.link(tables, [last], home.households)
    export_relations(tables, households, tmp_path / "relations")
    assert_agree(
        on_duckdb(tables, households, [last]),
        on_spark(session, tmp_path / "relations", tables.missing, [last]),
    )
