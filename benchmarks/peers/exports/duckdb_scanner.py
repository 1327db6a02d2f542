"""DuckDB's PostgreSQL scanner: reads in parallel under one snapshot. `python duckdb_scanner.py TASK`."""

import importlib.util
import json
import sys
from pathlib import Path

import duckdb

task = json.loads(sys.argv[1])
found = importlib.util.find_spec("duckdb_extension_postgres_scanner")
assert found
assert found.origin
(extension,) = Path(found.origin).parent.glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension")
database = duckdb.connect()
database.execute(f"INSTALL '{extension}'")
database.execute("LOAD postgres_scanner")
database.execute("ATTACH '{url}' AS source (TYPE postgres, READ_ONLY)".format(url=task["url"]))
database.execute("SET TimeZone = 'UTC'")
# A GUID column would be of Parquet's type UUID, with which Spark cannot open the file.
columns = task["columns"].replace("guid AS", "guid::VARCHAR AS")
where = f" WHERE modified_on >= '{task['since']}'" if task["since"] else ""
database.execute(
    f"COPY (SELECT {columns} FROM source.public.{task['table']}{where})"
    f" TO '{task['folder']}/all.parquet' (FORMAT parquet, COMPRESSION {task['compression']})"
)
