"""dlt's source of tables and its destination of files. `python dlt_filesystem.py TASK`; `backend` names its reader."""

import json
import os
import sys

task = json.loads(sys.argv[1])
os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": f"{task['folder']}/work"}
os.environ["LOAD__DELETE_COMPLETED_JOBS"] = "true"  # only what arrives counts

import dlt  # noqa: E402
from dlt.sources.sql_database import sql_table  # noqa: E402

reader = {"conn": task["url"]} if task["backend"] == "connectorx" else {}
source = sql_table(
    credentials=task["libpq"].replace("postgresql:", "postgresql+psycopg2:"),
    table=task["table"],
    schema="public",
    backend=task["backend"],
    chunk_size=100_000,
    included_columns=task["stored"],
    backend_kwargs=reader,
)
pipeline = dlt.pipeline(
    "race",
    pipelines_dir=f"{task['folder']}/work",
    destination=dlt.destinations.filesystem(bucket_url=f"{task['folder']}/lake"),
    dataset_name="race",
)
print(pipeline.run(source, loader_file_format="parquet"))
