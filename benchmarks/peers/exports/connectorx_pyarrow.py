"""connectorx reads all rows in two ranges of the key, pyarrow writes them. `python connectorx_pyarrow.py TASK`."""

import json
import sys

import connectorx
import pyarrow.parquet as pq

task = json.loads(sys.argv[1])
where = f" WHERE modified_on >= '{task['since']}'" if task["since"] else ""
ranges = {} if where else {"partition_on": "id", "partition_num": 2}
columns = task["columns"].replace('id AS "SampleId"', "id")  # it asks for the bounds without quotes
rows = connectorx.read_sql(task["url"], f"SELECT {columns} FROM {task['table']}{where}", return_type="arrow", **ranges)
pq.write_table(rows, f"{task['folder']}/all.parquet", compression=task["compression"])
