"""Coldshelf's files as everything that reads them sees them: `python readers.py READER TRUTH FOLDER`.

Each reader is imported by the process that reads with it: Spark lives in the environment of the peers.
"""
# ruff: noqa: PLC0415

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

KEY = "SampleId"


def by_pyarrow(file: Path) -> pa.Table:
    return pq.read_table(file)


def by_duckdb(file: Path) -> pa.Table:
    import duckdb

    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        table: pa.Table = database.sql(f"SELECT * FROM read_parquet('{file}')").to_arrow_table()
        return table


def by_polars(file: Path) -> pa.Table:
    import polars as pl

    return pl.read_parquet(file).to_arrow()


def by_pandas(file: Path) -> pa.Table:
    import pandas as pd

    return pa.Table.from_pandas(pd.read_parquet(file, dtype_backend="pyarrow"), preserve_index=False)


def by_deltalake(file: Path) -> pa.Table:
    """Read it as the only file of a Delta table."""
    from deltalake import DeltaTable, convert_to_deltalake

    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        (Path(folder) / file.name).hardlink_to(file)
        convert_to_deltalake(folder)
        return DeltaTable(folder).to_pyarrow_table()


def by_spark(file: Path) -> pa.Table:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").config("spark.driver.memory", "4g")
    spark = builder.config("spark.driver.maxResultSize", "4g").getOrCreate()
    table: pa.Table = spark.read.parquet(str(file)).toArrow()
    return table


READERS: Mapping[str, Callable[[Path], pa.Table]] = MappingProxyType({
    "pyarrow": by_pyarrow, "duckdb": by_duckdb, "polars": by_polars, "pandas": by_pandas, "deltalake": by_deltalake,
    "spark": by_spark,
})  # fmt: skip


def read_by_all(folder: Path, truth: pa.Table, peers: Path) -> None:
    """Let each reader read the files in a process of its own, and say what it sees."""
    said = folder / "truth.arrow"
    with pa.OSFile(str(said), "wb") as file, pa.ipc.new_file(file, truth.schema) as out:
        out.write_table(truth)
    for name in READERS:
        python = str(peers / "bin" / "python") if name == "spark" else sys.executable
        command = [python, __file__, name, str(said), str(folder)]
        read = subprocess.run(command, capture_output=True, text=True, check=False)
        print(f"  {name}: {read.stdout.strip() or read.stderr.strip()[-300:]}", flush=True)


def seen_by(name: str, truth: pa.Table, folder: Path) -> str:
    """Compare every value, file after file; ids are dense, so a file's rows are a slice of all."""
    seen = 0
    for file in sorted(folder.rglob("*.parquet")):
        found = READERS[name](file).select(truth.column_names).sort_by(KEY)
        wanted = truth.slice(found[KEY][0].as_py() - 1, found.num_rows)
        wrong = [
            column
            for column in truth.column_names
            if not found[column].cast(wanted[column].type).equals(wanted[column])
        ]
        if wrong:
            return f"{file.name} differs: {', '.join(wrong)}"
        seen += found.num_rows
    return "every value equal" if seen == truth.num_rows else f"{seen} rows in place of {truth.num_rows}"


if __name__ == "__main__":
    with pa.memory_map(sys.argv[2]) as mapped:
        print(seen_by(sys.argv[1], pa.ipc.open_file(mapped).read_all(), Path(sys.argv[3])))
