"""Asks an engine each question of a page about the tables of an export, and prints the answers as JSON."""

import json
import re
import sys

TABLES = ["traces", "loops", "types", "slots", "sites", "growth", "collections"]


def duckdb(lake):
    import duckdb

    connection = duckdb.connect()
    for table in TABLES:
        files = f"read_parquet('{lake}/{table}/**/*.parquet', hive_partitioning = true)"
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {files}")
    return lambda question: connection.execute(question).fetchall()


def spark(lake):
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    for table in TABLES:
        session.read.parquet(f"{lake}/{table}").createOrReplaceTempView(table)
    return lambda question: [tuple(row) for row in session.sql(question).collect()]


def clickhouse(lake):
    from chdb import session

    engine = session.Session()
    engine.query("CREATE DATABASE refloop ENGINE = Atomic")
    engine.query("USE refloop")
    for table in TABLES:
        files = f"file('{lake}/{table}/**/*.parquet')"
        engine.query(f"CREATE VIEW {table} AS SELECT * FROM {files}")
    return lambda question: json.loads(str(engine.query(question, "JSONCompact")))["data"]


def main():
    engine, lake, page = sys.argv[1:]
    with open(page, encoding="utf-8") as file:
        blocks = re.findall(r"```sql\n(.*?)```", file.read(), re.DOTALL)
    questions = [block for block in blocks if block.startswith("SELECT")]
    ask = {"duckdb": duckdb, "spark": spark, "clickhouse": clickhouse}[engine](lake)
    answers = [[list(row) for row in ask(question)] for question in questions]
    json.dump(answers, sys.stdout, default=str)


main()
