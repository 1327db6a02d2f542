"""A cooler with a planogram and a picture; shelves are written as letters: `_` a gap, `?` unknown, `x`-`z` foreign."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from asyncpg import Record

from coldshelf.kit.ids import ClientId, new_sorted_id
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata.service import load_catalogue
from coldshelf.masterdata.store import replace_places
from coldshelf.pictures.events import picture_event
from coldshelf.pictures.models import Status
from coldshelf.pictures.service import renditions
from coldshelf.recognition import store
from coldshelf.recognition.events import RECOGNISED
from coldshelf.recognition.models import Grids, Row
from coldshelf.recognition.recogniser import Corners

LETTERS = "abcdefxyz"


def square(shelf: int, position: int) -> Corners:
    """Give the corners of a place: 9 pixels wide, 10 pixels to the next one."""
    x, y = 10.0 * position, 10.0 * shelf
    return (x, y), (x, y + 9), (x + 9, y + 9), (x + 9, y)


@dataclass
class Cooler:
    """One picture of it, and what is known of it."""

    run: Runtime
    client_id: ClientId
    products: dict[str, int] = field(default_factory=dict)
    picture_id: int = 0
    planogram_id: int | None = None

    @classmethod
    async def make(
        cls, run: Runtime, client_id: ClientId, planned: Sequence[str] | None, use: str = "Layout"
    ) -> "Cooler":
        """Make the products, the planogram (None: none) and a picture that waits for its result.

        The products a to c are of one category, d to f of another one.
        """
        made = cls(run, client_id)
        async with run.database.scope(client_id, user_name="test") as connection:
            categories = {
                name: await connection.fetchval(
                    "INSERT INTO product_category (client_id, name) VALUES (coldshelf_client(), $1) RETURNING id", name
                )
                for name in ("Cola", "Tea")
            }
            for letter in LETTERS:
                made.products[letter] = await connection.fetchval(
                    """
                    INSERT INTO product (client_id, name, sku, short_name, is_foreign, product_category_id)
                    VALUES (coldshelf_client(), $1, $1, $1, $2, $3) RETURNING id""",
                    letter,
                    letter in "xyz",
                    categories.get(
                        {"a": "Cola", "b": "Cola", "c": "Cola", "d": "Tea", "e": "Tea", "f": "Tea"}.get(letter, "")
                    ),
                )
            for product in await load_catalogue(connection):
                if product.is_empty or product.is_unknown:
                    made.products["_" if product.is_empty else "?"] = product.id
            if planned is not None:
                made.planogram_id = await connection.fetchval(
                    """
                    INSERT INTO planogram (client_id, name, planogram_use)
                    VALUES (coldshelf_client(), 'Summer', $1) RETURNING id""",
                    use,
                )
                rows = [[(made.products[letter], 1) for letter in shelf] for shelf in planned]
                await replace_places(connection, made.planogram_id, rows)
        await made.add_picture()
        return made

    async def add_picture(self) -> int:
        """Add a picture that waits for its result: from now on everything is about this one; give its id."""
        async with self.run.database.scope(self.client_id, user_name="test") as connection:
            self.picture_id = await connection.fetchval(
                """
                INSERT INTO picture (client_id, guid, scene_type, image_received_from, before_after, is_stitched,
                    file_count, image_name, total_bytes, received_on, captured_on, captured_local,
                    capture_time_source, status_id, submission_outcome, planogram_id, callback_url)
                VALUES (coldshelf_client(), gen_random_uuid(), 'ProductAnalysis', 1, 0, false, 1, '1.jpg', 1000,
                    now(), now(), localtimestamp, 'received', $1, 'AutoProvisioned', $2, 'https://example.org/told')
                RETURNING id""",
                Status.QUEUED,
                self.planogram_id,
            )
        return self.picture_id

    async def recognise(self, *shelves: str) -> int:
        """Serve a new result version and tell of it, as recognition does; give its id."""
        rows = [
            self.row(letter, shelf, position)
            for shelf, letters in enumerate(shelves, 1)
            for position, letter in enumerate(letters, 1)
        ]
        return await self.serve(rows)

    async def serve(self, rows: Sequence[Row]) -> int:
        """Serve these rows as a new result version, and tell of it; give its id."""
        async with self.run.database.scope(self.client_id, user_name="test") as connection:
            picture = await renditions.load_picture(connection, self.picture_id)
            assert picture is not None
            await store.retire(connection, picture.id)
            result_id = await store.add_result(
                connection,
                picture,
                event_id=new_sorted_id(),
                recogniser=("fake", "1"),
                shelves="[]",
                grids=Grids("", ""),
                rows=rows,
            )
            await renditions.touch(connection, picture.id)
            await self.run.events.publish(connection, picture_event(RECOGNISED, self.client_id, picture))
        return result_id

    def row(self, letter: str, shelf: int, position: int) -> Row:
        return Row(
            product_id=self.products[letter],
            product_name=letter,
            sku=letter,
            is_foreign=letter in "xyz",
            is_empty=letter == "_",
            is_unknown=letter == "?",
            shelf=shelf,
            position=position,
            confidence=None if letter == "_" else 90.0,
            corners=square(shelf, position),
        )

    async def steps(self, handler: str) -> list[bytes]:
        """Give the jobs of a handler's steps, the oldest first."""
        rows = await self.rows(
            "SELECT event_id FROM event_step WHERE handler = $1 ORDER BY created_on, event_id", handler
        )
        return [
            orjson.dumps({"client": self.client_id, "event": str(row["event_id"]), "handler": handler}) for row in rows
        ]

    async def perform(self, *payloads: bytes) -> None:
        """Run jobs one after another; none may fail."""
        for payload in payloads:
            await self.run.events.perform(self.run, payload)
        assert await self.rows("SELECT handler, error FROM event_step WHERE error <> ''") == []

    async def settle(self, *handlers: str) -> None:
        """Run every job of the handlers."""
        for handler in handlers or ("compliance.compare", "kpis.measure"):
            await self.perform(*await self.steps(handler))

    async def rows(self, query: str, *values: object) -> list[Record]:
        async with self.run.database.scope(self.client_id, readonly=True) as connection:
            return list(await connection.fetch(query, *values))

    async def value(self, query: str, *values: object) -> Any:
        """Give the first column of the first row, of any type."""
        (row, *_) = await self.rows(query, *values)
        return row[0]

    async def events(self, kind: str) -> int:
        return int(await self.value("SELECT count(*) FROM event WHERE type = $1", kind))
