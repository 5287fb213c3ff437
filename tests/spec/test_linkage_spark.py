"""The Spark backend gives the same pairs as DuckDB, weight by weight."""

from __future__ import annotations

import pytest

from tests.village import Village


@pytest.mark.slow
@pytest.mark.needs_java
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_spark_links_as_duckdb_does(tmp_path):
    pyspark = pytest.importorskip("pyspark.sql")
    from splink.internals.spark.jar_location import similarity_jar_location

    spark = (
        pyspark.SparkSession.builder.master("local[1]")
        .config("spark.jars", similarity_jar_location())
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.default.parallelism", "1")
        .config("spark.sql.warehouse.dir", str(tmp_path / "warehouse"))
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    try:
        spark.sparkContext.setCheckpointDir(str(tmp_path / "checkpoints"))
        village = Village().home("1").account("A1", "1", "2020-01-10")
        village.tenancy("T1", "1", "2020-01-10")
        village.payer("A1", "c1", "Katerina Shevchenko", "1980-04-17")
        village.payer("A1", "c2", "J Adeyemi", "1980-04-17", role="joint")
        village.tenant("T1", "t1", "Kateryna Shevchenko", "1980-04-17")
        village.tenant("T1", "t2", "Joseph Adeyemi", "1980-04-18")
        village.case("K1", "Joseph Adeyemi", "1980-04-18", uprn="1")
        on_spark = village.link(tmp_path / "spark", "2021-01-01", backend="spark", spark=spark)
        on_duckdb = village.link(tmp_path / "duckdb", "2021-01-01")
        pairs = "FROM linked_pairs ORDER BY ALL"
        assert on_spark.con.sql(pairs).fetchall() == on_duckdb.con.sql(pairs).fetchall()
        assert on_spark.everything() == on_duckdb.everything()
    finally:
        spark.stop()
