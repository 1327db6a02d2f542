"""Freezes what each event says, so that no receiver breaks: python -m tests.contracts.freeze_events

`events/<type>/<version>.json` holds every member of a body by its path, with its type, format and whether it is always
there. Further members are allowed: run this. One that vanished or changed is refused: keep it, or raise the version of
the event; bodies of the older version are then no longer sent, so receivers have to be told.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coldshelf.deliveries.developing.described import describe_events
from coldshelf.entrypoints.bootstrap import EVENT_TYPES, surroundings

FOLDER = Path(__file__).parent / "events"
Members = dict[str, str]
"""Path of a member to what it is."""


def declared() -> dict[tuple[str, int], Members]:
    described = describe_events(EVENT_TYPES, surroundings())
    return {(one.type, one.version): dict(members(one.schema)) for one in described.values()}


def frozen() -> dict[tuple[str, int], Members]:
    return {(path.parent.name, int(path.stem)): json.loads(path.read_text()) for path in FOLDER.glob("*/*.json")}


def members(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Walk a schema."""
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, _signature(inner, is_required=name in schema.get("required", ()))
        yield from members(inner, here)
    if "items" in schema:
        yield f"{path}[]", _signature(schema["items"], is_required=True)
        yield from members(schema["items"], f"{path}[]")


def _signature(schema: dict[str, Any], *, is_required: bool) -> str:
    kind = schema.get("type", "")
    parts = [kind if isinstance(kind, str) else "|".join(sorted(kind))]
    parts += [f"{word}={json.dumps(schema[word])}" for word in ("const", "enum", "format", "pattern") if word in schema]
    return " ".join([*parts, *(["required"] if is_required else [])]).strip()


def breaks(old: Members, new: Members) -> list[str]:
    """Say what a receiver of the old bodies would stumble over in the new ones."""
    return [
        f"{path} was {what}, now it is {new[path]}" if path in new else f"{path} vanished"
        for path, what in old.items()
        if new.get(path) != what
    ]


def freeze() -> list[str]:
    """Write what is declared; write nothing and say what is wrong when a receiver would stumble."""
    old, new = frozen(), declared()
    found = [f"{name} {version}: {line}" for name, version in old for line in _trouble(name, version)]
    found += [f"{name} is no longer published" for name, _ in old if name not in {known for known, _ in new}]
    if not found:
        for (name, version), held in new.items():
            path = FOLDER / name / f"{version}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(held, indent=1) + "\n")
    return sorted(set(found))


def _trouble(name: str, version: int) -> list[str]:
    new = declared().get((name, version))
    return [] if new is None else breaks(frozen()[name, version], new)


if __name__ == "__main__":
    sys.exit("\n".join(freeze()) or 0)
