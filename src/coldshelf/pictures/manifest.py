"""The manifest of a batch: which files make which upload, with which parameters. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from coldshelf.kit.web.params import Params
from coldshelf.pictures.errors import ManifestInvalid
from coldshelf.pictures.models import ReceivedFile

FILES = "files"


@dataclass(frozen=True, slots=True)
class Item:
    """One upload of a batch."""

    params: Params
    files: tuple[ReceivedFile, ...]


def read_manifest(text: str, files: Sequence[ReceivedFile]) -> list[Item]:
    """Read the manifest; raise ManifestInvalid with the place, also for a file that no item or that two items name."""
    try:
        wanted = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ManifestInvalid(f"manifest is not JSON: {error}") from error
    if not isinstance(wanted, list) or not wanted:
        raise ManifestInvalid('manifest takes a list such as [{"files": ["shelf.jpg"], "SerialNumber": "XYZ789"}]')
    waiting = _by_name(files)
    items = [_item(f"manifest[{place}]", item, waiting) for place, item in enumerate(wanted)]
    if waiting:
        raise ManifestInvalid(f"The file {min(waiting)!r} is named by no item of the manifest")
    return items


def _by_name(files: Sequence[ReceivedFile]) -> dict[str, ReceivedFile]:
    found = {file.name: file for file in files}
    if len(found) < len(files):
        raise ManifestInvalid("Two files have the same name: each file of a batch needs its own")
    return found


def _item(place: str, item: object, waiting: dict[str, ReceivedFile]) -> Item:
    if not isinstance(item, dict):
        raise ManifestInvalid(f"{place} takes an object with files and the parameters of the upload")
    names = item.get(FILES)
    if not isinstance(names, list) or not names:
        raise ManifestInvalid(f"{place}.files takes a list of file names of this request")
    files = [_taken(f"{place}.files", name, waiting) for name in names]
    pairs = [(name, _text(f"{place}.{name}", value)) for name, value in item.items() if name != FILES]
    if len({name.lower() for name, _ in pairs}) < len(pairs):
        raise ManifestInvalid(f"{place} names a parameter twice")
    return Item(Params([*pairs, ("action", "uploadImage")]), tuple(files))


def _taken(place: str, name: object, waiting: dict[str, ReceivedFile]) -> ReceivedFile:
    file = waiting.pop(name, None) if isinstance(name, str) else None
    if file is None:
        raise ManifestInvalid(f"{place} names {str(name)[:60]!r}, which was not sent or is named before")
    return file


def _text(place: str, value: Any) -> str:  # any JSON
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise ManifestInvalid(f"{place} takes a text, a whole number or a boolean")
