"""Files to import, and the import handler as a caller in a test wants it."""

import csv
import io
from collections.abc import Mapping, Sequence

import httpx
import orjson

from tests.records.support import Json

PATH = "/controllers/Import.ashx"
Rows = Sequence[Mapping[str, object]]


def as_csv(rows: Rows, *, separator: str = ",", encoding: str = "utf-8") -> bytes:
    """Write rows with the heading of all their names."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(names)
    writer.writerows([row.get(name, "") for name in names] for row in rows)
    return out.getvalue().encode(encoding)


def as_json(rows: Rows) -> bytes:
    return orjson.dumps({"data": list(rows)})


class Importer:
    """One type of import, asked by one caller. `rows` and `file` give the answer whatever it says."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self.http = http
        self.name = name

    async def post(self, content: bytes, name: str = "file.csv", **params: object) -> httpx.Response:
        return await self.http.post(
            PATH,
            params={"type": self.name, **{key: str(value) for key, value in params.items()}},
            files={"file": (name, content)},
        )

    async def file(self, content: bytes, name: str = "file.csv", **params: object) -> Json:
        answer = await self.post(content, name, **params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def rows(self, rows: Rows, **params: object) -> Json:
        return await self.file(as_csv(rows), **params)

    async def done(self, rows: Rows, **params: object) -> Json:
        answer = await self.rows(rows, **params)
        assert answer["success"] is True, answer
        return answer

    async def check(self, rows: Rows) -> Json:
        return await self.rows(rows, check=1)

    async def undo(self, import_id: str) -> Json:
        answer = await self.http.post(PATH, params={"action": "undo", "id": import_id})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())
