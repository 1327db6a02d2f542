"""Freezes the schemas of the bulk datasets, so that no reader's table breaks: python -m tests.contracts.freeze_schemas

Adding columns is allowed: raise the dataset's number in `coldshelf.publishing.models.BULK_DATASETS` by one and run
this. A column that vanished, was renamed, changed its type, or may now be empty is refused: keep it. A dataset without
a frozen file gets one; before the first release its file may be removed to start again.
"""

import json
import sys
from pathlib import Path

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.publishing.models import BULK_DATASETS
from coldshelf.publishing.schemas import ColumnSchema, DatasetSchema, dataset_schema

FOLDER = Path(__file__).parent / "schemas"


def declared() -> dict[str, DatasetSchema]:
    datasets = registry().datasets
    return {name: dataset_schema(datasets[name], version) for name, version in BULK_DATASETS.items()}


def frozen() -> dict[str, DatasetSchema]:
    return {path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}


def breaks(old: DatasetSchema, new: DatasetSchema) -> list[str]:
    """Say what a reader of the old schema would stumble over in the new one."""
    name = old["dataset"]
    columns = {column["name"]: column for column in new["columns"]}
    found = [trouble for column in old["columns"] if (trouble := _trouble(name, column, columns.get(column["name"])))]
    if new["key"] != old["key"]:
        found.append(f"{name}: the key was {old['key']}, now it is {new['key']}")
    added = [column for column in columns if column not in {column["name"] for column in old["columns"]}]
    wanted = old["schemaVersion"] + bool(added)
    if new["schemaVersion"] != wanted:
        found.append(f"{name}: its number in BULK_DATASETS is {new['schemaVersion']}, not {wanted} (added: {added})")
    return found


def _trouble(dataset: str, old: ColumnSchema, new: ColumnSchema | None) -> str:
    name = f"{dataset}.{old['name']}"
    if new is None:
        return f"{name} vanished"
    if new["type"] != old["type"]:
        return f"{name} was {old['type']}, now it is {new['type']}"
    if new["unit"] != old["unit"]:
        return f"{name} was in {old['unit'] or 'no unit'}, now it is in {new['unit'] or 'no unit'}"
    return f"{name} was never empty, now it may be" if new["nullable"] and not old["nullable"] else ""


def freeze() -> list[str]:
    """Write what is declared; write nothing and say what is wrong when a reader would stumble."""
    old, new = frozen(), declared()
    found = [trouble for name in old.keys() & new.keys() for trouble in breaks(old[name], new[name])]
    found += [f"{name} is no longer published" for name in old.keys() - new.keys()]
    if not found:
        for name, schema in new.items():
            (FOLDER / f"{name}.json").write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    return sorted(found)


if __name__ == "__main__":
    sys.exit("\n".join(freeze()) or 0)
