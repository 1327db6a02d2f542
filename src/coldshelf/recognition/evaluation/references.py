"""Finds the reference pictures of a folder with truth."""

from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.evaluation.documents import FORMATS, read_document
from coldshelf.recognition.formats.references import References, list_references

REFERENCES_FILE = "references.json"
REFERENCES_FOLDER = "references"


class _Entry(BaseModel):
    sku: str
    file: str
    brand: str | None = None


class _ReferencesFile(BaseModel):
    references: list[_Entry]


_REFERENCES = TypeAdapter(_ReferencesFile)


def has_references(folder: Path) -> bool:
    """Say whether a folder with truth brings reference pictures."""
    return (folder / REFERENCES_FILE).exists() or (folder / REFERENCES_FOLDER).is_dir()


def read_references(folder: Path) -> References:
    """Read `references.json`, else the folder `references`, else the folder itself as one of references."""
    path = folder / REFERENCES_FILE
    if not path.exists():
        inner = folder / REFERENCES_FOLDER
        return list_references(inner if inner.is_dir() else folder)
    entries = read_document(path, _REFERENCES).references
    if not entries:
        raise InputInvalid(f"{path} names no picture", cure=FORMATS)
    files: dict[str, tuple[Path, ...]] = {}
    for number, entry in enumerate(entries):
        picture = folder / entry.file
        if not picture.is_file():
            raise InputInvalid(f"{path}: references.{number}: {entry.file} is not there", cure="Add the picture.")
        files[entry.sku] = (*files.get(entry.sku, ()), picture)
    brands = {entry.sku: entry.brand for entry in entries if entry.brand is not None}
    return References(dict(sorted(files.items())), brands)
