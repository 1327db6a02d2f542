"""Freezes the schemas of the bulk datasets, so that no reader's table breaks: python -m tests.contracts.freeze_schemas

`schemas/<Dataset>/<version>.json` is what the version promised. Adding columns is allowed: name them as a further
version in `coldshelf.publishing.versions.ADDED` and run this. A column that vanished, was renamed, changed its type or
unit, or may now be empty is refused: keep it. So is another key. Files of older versions are never written again.
"""

import json
import sys
from pathlib import Path

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.publishing.models import BULK_DATASETS
from coldshelf.publishing.schemas import ColumnSchema, DatasetSchema, dataset_schema

FOLDER = Path(__file__).parent / "schemas"
Versions = dict[int, DatasetSchema]


def declared() -> dict[str, DatasetSchema]:
    datasets = registry().datasets
    return {name: dataset_schema(datasets[name], version) for name, version in BULK_DATASETS.items()}


def frozen() -> dict[str, Versions]:
    """Give every frozen schema by dataset and version, the oldest first."""
    found: dict[str, Versions] = {}
    for path in sorted(FOLDER.glob("*/*.json"), key=lambda path: int(path.stem)):
        found.setdefault(path.parent.name, {})[int(path.stem)] = json.loads(path.read_text())
    return found


def as_of(schema: DatasetSchema, version: int) -> DatasetSchema:
    """Give what a schema says of an earlier version."""
    columns = [column for column in schema["columns"] if column["since"] <= version]
    return {**schema, "schemaVersion": version, "columns": columns}


def breaks(old: DatasetSchema, new: DatasetSchema) -> list[str]:
    """Say what a reader of the old schema would stumble over in the new one."""
    name, version = old["dataset"], old["schemaVersion"]
    columns = {column["name"]: column for column in new["columns"]}
    found = [trouble for column in old["columns"] if (trouble := _trouble(name, column, columns.get(column["name"])))]
    if new["key"] != old["key"]:
        found.append(f"{name}: the key was {' + '.join(old['key'])}, now it is {' + '.join(new['key'])}")
    if new["schemaVersion"] < version:
        found.append(f"{name}: version {version} is frozen, but versions.ADDED ends with {new['schemaVersion']}")
    names = {column["name"] for column in old["columns"]}
    added = [name for name, column in columns.items() if name not in names and column["since"] <= version]
    if added:
        found.append(f"{name}: {', '.join(added)} must be named in versions.ADDED as version {version + 1} or later")
    return found


def _trouble(dataset: str, old: ColumnSchema, new: ColumnSchema | None) -> str:
    name = f"{dataset}.{old['name']}"
    if new is None:
        return f"{name} vanished"
    if new["type"] != old["type"]:
        return f"{name} was {old['type']}, now it is {new['type']}"
    if new["unit"] != old["unit"]:
        return f"{name} was in {old['unit'] or 'no unit'}, now it is in {new['unit'] or 'no unit'}"
    if new["since"] != old["since"]:
        return f"{name} came with version {old['since']}, not with {new['since']}"
    if old["personal"] and not new["personal"]:
        return f"{name} was personal, so partners would now get it"
    return f"{name} was never empty, now it may be" if new["nullable"] and not old["nullable"] else ""


def freeze() -> list[str]:
    """Write what is declared; write nothing and say what is wrong when a reader would stumble."""
    old, new = frozen(), declared()
    found = [
        trouble for name in old.keys() & new.keys() for one in old[name].values() for trouble in breaks(one, new[name])
    ]
    found += [f"{name} is no longer published" for name in old.keys() - new.keys()]
    if not found:
        for name, schema in new.items():
            for version in range(1, schema["schemaVersion"] + 1):
                if version == schema["schemaVersion"] or version not in old.get(name, {}):
                    _write(as_of(schema, version))
    return sorted(set(found))


def _write(schema: DatasetSchema) -> None:
    path = FOLDER / schema["dataset"] / f"{schema['schemaVersion']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit("\n".join(freeze()) or 0)
