"""What tests of links share: making one through the API, opening it as a browser does, and all rows of a database."""

from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx

ORIGIN = {"Origin": "http://coldshelf.test"}
TABLES = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"""


async def minted(admin: httpx.AsyncClient, purpose: str, key: int, **more: object) -> dict[str, Any]:
    """Make a link as a client admin."""
    answer = await admin.post("/api/v1/links", json={"Purpose": purpose, "RecordKey": key, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def path_of(link: dict[str, Any]) -> str:
    return urlsplit(str(link["Url"])).path


async def press(http: httpx.AsyncClient, path: str, action: str, **fields: str) -> httpx.Response:
    """Press a button of a page, and follow where it leads."""
    return await http.post(path, data={"action": action, **fields}, headers=ORIGIN, follow_redirects=True)


async def everything(url: str) -> dict[str, str]:
    """Give all rows of all tables as text, by table."""
    connection = await asyncpg.connect(url)
    try:
        names = [row["relname"] for row in await connection.fetch(TABLES)]
        return {
            name: await connection.fetchval(f'SELECT string_agg(t::text, chr(10) ORDER BY t::text) FROM "{name}" t')
            for name in names
        }
    finally:
        await connection.close()
