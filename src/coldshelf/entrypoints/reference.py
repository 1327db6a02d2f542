"""The reference page of the docs, made from the declarations: settings, commands, events, errors, datasets."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

import coldshelf
from coldshelf.entrypoints.bootstrap import EVENT_TYPES, HANDLERS, registry
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.settings import Settings
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity

UNSEEN = (".migrations", ".__main__", ".training.")
"""Modules that no process of an installation imports: training takes libraries that running does not."""
HEAD = """# Reference

Made from the declarations in the code by `coldshelf reference --out docs/reference.md`; a test keeps it true.
"""


def reference_page() -> str:
    """Write the page as Markdown."""
    parts = [HEAD, *_settings(), *_events(), *_errors()]
    declared = registry()
    for dataset in declared.datasets.values():
        parts += _dataset(dataset)
        if dataset.name in declared.entities:
            parts += _saving(declared.entities[dataset.name])
    return "\n".join(parts) + "\n"


def _settings() -> Iterator[str]:
    yield "## Settings\n\nA secret may also stand in a file that `COLDSHELF_<NAME>_FILE` names.\n"
    yield "| variable | default | meaning |\n| --- | --- | --- |"
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "", ()) else f"`{field.default}`"
        yield f"| `COLDSHELF_{name.upper()}` | {default} | {field.description} |"


def _events() -> Iterator[str]:
    yield "\n## Events\n\n| event | public | handled by | meaning |\n| --- | --- | --- | --- |"
    for event in EVENT_TYPES:
        handlers = ", ".join(f"`{handler.name}`" for handler in HANDLERS if handler.event_type == event.name)
        yield f"| `{event.name}` | {'yes' if event.public else 'no'} | {handlers} | {event.meaning} |"


def _errors() -> Iterator[str]:
    yield "\n## Errors\n\n`HTTP` is the status, under `/api/v1` as well unless its column says another.\n"
    yield "| code | HTTP | `/api/v1` | retry | meaning | cure |\n| --- | --- | --- | --- | --- | --- |"
    for kind in sorted(error_types(), key=lambda kind: kind.code):
        meaning = (kind.__doc__ or "").splitlines()[0]
        other = kind.problem_status or ""
        yield f"| `{kind.code}` | {kind.status} | {other} | {'yes' if kind.retry else 'no'} | {meaning} | {kind.cure} |"


def error_types() -> set[type[ColdshelfError]]:
    """Give every error of the house."""
    for module in pkgutil.walk_packages(coldshelf.__path__, "coldshelf."):
        if not any(part in module.name for part in UNSEEN):
            importlib.import_module(module.name)
    found: set[type[ColdshelfError]] = set()
    waiting: list[type[ColdshelfError]] = [ColdshelfError]
    while waiting:
        kind = waiting.pop()
        found.add(kind)
        waiting += kind.__subclasses__()
    return found


def _dataset(dataset: Dataset) -> Iterator[str]:
    key = " + ".join(f"`{wire}`" for wire in dataset.whole_key)
    promised = "" if dataset.has_rows else " Its columns are promised; there are no rows yet, and no list."
    yield f"\n## {dataset.name}\n\n{dataset.meaning}. Key: {key}.{promised}\n"
    yield "| column | type | in Parquet | unit | meaning |\n| --- | --- | --- | --- | --- |"
    for column in dataset.columns:
        parquet = f"`{column.parquet_name}`" if column.parquet_name else ""
        yield f"| `{column.wire}` | {column.type} | {parquet} | {column.unit} | {column.meaning} |"


def _saving(entity: Entity) -> Iterator[str]:
    """Say how records of an entity are found and written."""
    yield f"\nWritten by {', '.join(sorted(entity.writers))}; found by id{_listed(', or by ', entity.keys)}."
    yield f"Further handlers: {_listed('', entity.handlers)}." if entity.handlers else ""
    if entity.references:
        yield "\n| reference | to | also taken |\n| --- | --- | --- |"
    for reference in entity.references:
        yield f"| `{reference.wire}` | {reference.to} | {_listed('', (*reference.aliases, *reference.by))} |"


def _listed(before: str, names: Iterable[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return before + listed if listed else ""
