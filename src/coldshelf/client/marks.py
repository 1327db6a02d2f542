"""Where a reader of changes stands, kept between its runs."""

import json
import os
from pathlib import Path
from typing import Protocol


class Marks(Protocol):
    """Keeps a text for each name. A dict does in tests; a table of your own where the records go is best of all."""

    def get(self, name: str, /) -> str | None: ...
    def __setitem__(self, name: str, mark: str, /) -> None: ...


class FileMarks:
    """Marks in a small JSON file, replaced as a whole, so that a crash leaves the old ones or the new ones."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def get(self, name: str, /) -> str | None:
        return self._read().get(name)

    def __setitem__(self, name: str, mark: str, /) -> None:
        marks = self._read() | {name: mark}
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(marks, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)

    def _read(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
