"""The contract's handlers as a caller in a test wants them."""

from typing import Any

import httpx
import orjson

Json = dict[str, Any]
"""A JSON object of any shape."""


class Handler:
    """One handler, asked by one caller.

    `save`, `load`, `delete` and `page` expect success, `refused` and `page_refused` an error.
    """

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self.http = http
        self.path = f"/controllers/{name}.ashx"

    async def post(self, action: str, headers: dict[str, str] | None = None, /, **params: object) -> httpx.Response:
        return await self.http.post(
            self.path,
            params={"action": action},
            data={name: str(value) for name, value in params.items()},
            headers=headers,
        )

    async def save(self, **params: object) -> Json:
        return self._done(await self.post("save", **params))

    async def load(self, **params: object) -> Json:
        return self._done(await self.post("load", **params))

    async def delete(self, **params: object) -> Json:
        return self._done(await self.post("delete", **params))

    async def refused(self, action: str, **params: object) -> str:
        """Ask for what is refused; give the reason."""
        answer = await self.post(action, **params)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert set(body) == {"success", "info"}
        assert body["success"] is False
        return str(body["info"])

    async def page(self, filters: Json | None = None, /, **params: object) -> Json:
        answer = await self.page_answer(filters, **params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def page_answer(self, filters: Json | None = None, /, **params: object) -> httpx.Response:
        if filters is not None:
            params["filters"] = orjson.dumps(filters).decode()
        return await self.http.get(
            self.path, params={"action": "list", **{name: str(value) for name, value in params.items()}}
        )

    async def page_refused(self, filters: Json | str | None = None, /, **params: object) -> str:
        """Ask for a list that is refused in the published shape; give the reason."""
        if isinstance(filters, str):
            params["filters"], filters = filters, None
        answer = await self.page_answer(filters, **params)
        assert answer.status_code == 400, answer.text
        body = answer.json()
        assert {**body, "info": ""} == {"success": False, "info": "", "totalRecords": 0, "records": []}
        return str(body["info"])

    async def records(self, filters: Json | None = None, /, **params: object) -> list[Json]:
        return list((await self.page(filters, **params))["records"])

    @staticmethod
    def _done(answer: httpx.Response) -> Json:
        assert answer.status_code == 200, answer.text
        body = dict(answer.json())
        assert body["success"] is True, body
        return body
