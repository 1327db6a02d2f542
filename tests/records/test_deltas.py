"""Pulls by modification time: nothing is missed whoever else writes meanwhile (contract 1.5; 11 no. 16)."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import httpx
import orjson
import pytest

from coldshelf.access.principal import Principal, Role
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records.listing import list_records, read_list_request
from coldshelf.records.store import forget_page_ends
from tests.records.rows import add_outlets, touch_outlets
from tests.records.support import Handler, Json

EPOCH = "2024-08-01T00:00:00"


def since(mark: str) -> Json:
    return {"modifiedOn": {"operator": ">", "value": mark}}


def codes(page: Json) -> list[str]:
    return [record["Code"] for record in page["records"]]


class Outlets:
    """Outlets as a reader pulls them, and as writers change them behind its back."""

    def __init__(self, run: Runtime, client_id: ClientId, handler: Handler) -> None:
        self._run = run
        self._client_id = client_id
        self.handler = handler

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        return self._run.database.scope(self._client_id)

    async def add(self, count: int, *, first: int = 1) -> None:
        async with self.transaction() as connection:
            await add_outlets(connection, count, first=first)

    async def touch(self, *codes: str) -> None:
        async with self.transaction() as connection:
            await touch_outlets(connection, *codes)

    async def pull(self, mark: str = EPOCH, **params: object) -> tuple[Json, str]:
        """Give a page and its `X-Data-As-Of`."""
        answer = await self.handler.page_answer(since(mark), **params)
        assert answer.status_code == 200, answer.text
        return answer.json(), answer.headers["X-Data-As-Of"]


@pytest.fixture
def outlets(run: Runtime, client_id: ClientId, admin: httpx.AsyncClient) -> Outlets:
    return Outlets(run, client_id, Handler(admin, "Location"))


async def test_a_delta_says_as_of_when_it_is_complete_and_other_lists_do_not(outlets: Outlets) -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    await outlets.add(1)

    page, as_of = await outlets.pull()
    plain = await outlets.handler.page_answer()

    record = page["records"][0]
    assert before < datetime.fromisoformat(as_of) < before + timedelta(seconds=30)
    assert record["ModifiedOn"] <= as_of
    assert "X-Data-As-Of" not in plain.headers


async def test_rows_younger_than_the_oldest_writer_are_held_back(outlets: Outlets) -> None:
    await outlets.add(1)
    async with outlets.transaction() as slow:
        await add_outlets(slow, 1, first=2)
        await outlets.add(1, first=3)

        during, as_of = await outlets.pull()
        began = await slow.fetchval("SELECT (now() AT TIME ZONE 'UTC')")

    after, _ = await outlets.pull(as_of)

    assert codes(during) == ["L1"]
    assert during["totalRecords"] == 1
    assert datetime.fromisoformat(as_of) == began - timedelta(microseconds=1)
    assert codes(after) == ["L2", "L3"]


async def test_readers_and_idle_transactions_hold_nothing_back(outlets: Outlets) -> None:
    async with outlets.transaction() as reader:
        await reader.fetchval("SELECT count(*) FROM location")
        await outlets.add(1)

        page, _ = await outlets.pull()

    assert codes(page) == ["L1"]


async def test_a_transaction_that_writes_late_in_its_life_is_still_found_by_the_mark(outlets: Outlets) -> None:
    """It began before the mark was given, but its rows carry the time of their writing, which lies behind the mark."""
    async with outlets.transaction() as late:
        await late.fetchval("SELECT count(*) FROM location")
        await outlets.add(1)
        first, as_of = await outlets.pull()
        await add_outlets(late, 1, first=2)

    second, _ = await outlets.pull(as_of)
    third, _ = await outlets.pull(max(record["ModifiedOn"] for record in first["records"]))

    assert codes(first) == ["L1"]
    assert codes(second) == codes(third) == ["L2"]


async def test_an_update_never_lowers_the_modification_time(outlets: Outlets) -> None:
    """The transaction that began first writes last: by its start it would have set the smaller time."""
    await outlets.add(1)
    async with outlets.transaction() as early:
        await early.fetchval("SELECT 1")
        await outlets.touch("L1")
        between, _ = await outlets.pull()
        await touch_outlets(early, "L1")

    after, _ = await outlets.pull()

    assert after["records"][0]["ModifiedOn"] > between["records"][0]["ModifiedOn"]


async def test_a_clock_that_went_back_still_raises_the_modification_time(run: Runtime, outlets: Outlets) -> None:
    await outlets.add(1)
    async with run.database.system() as owner:  # only the owner can set a time by hand
        await owner.execute("ALTER TABLE location DISABLE TRIGGER stamp")
        ahead = await owner.fetchval(
            "UPDATE location SET modified_on = clock_timestamp() + interval '1 hour' RETURNING modified_on"
        )
        await owner.execute("ALTER TABLE location ENABLE TRIGGER stamp")

    await outlets.touch("L1")

    async with outlets.transaction() as connection:
        assert await connection.fetchval("SELECT modified_on FROM location") == ahead + timedelta(microseconds=1)


async def test_a_row_that_leaves_the_pull_makes_no_page_skip_another(outlets: Outlets) -> None:
    """While a slow writer holds the horizon, a modified row is held back, and all rows behind it move up a place."""
    await outlets.add(6)
    first, mark = await outlets.pull(limit=2)
    async with outlets.transaction() as slow:
        await touch_outlets(slow, "L6")
        await outlets.touch("L1", "L2")

        second, _ = await outlets.pull(start=2, limit=2)
        third, as_of = await outlets.pull(start=4, limit=2)
    rest, _ = await outlets.pull(mark)

    assert [codes(page) for page in (first, second, third)] == [["L1", "L2"], ["L3", "L4"], ["L5", "L6"]]
    assert [page["totalRecords"] for page in (first, second, third)] == [6, 6, 6]
    assert [record["RowNumber"] for record in second["records"]] == [3, 4]
    assert as_of == mark
    assert codes(rest) == ["L1", "L2", "L6"]


async def test_a_row_modified_during_the_pull_comes_with_it_and_again_with_the_next(outlets: Outlets) -> None:
    """With its true time L4 would be the greatest received, and the next pull would miss what became of L1."""
    await outlets.add(4)
    first, as_of = await outlets.pull(limit=2)
    await outlets.touch("L1")
    await outlets.touch("L4")
    await outlets.add(1, first=5)

    second, still = await outlets.pull(start=2, limit=2)
    third, _ = await outlets.pull(start=4, limit=2)
    received = first["records"] + second["records"] + third["records"]
    by_greatest, _ = await outlets.pull(max(record["ModifiedOn"] for record in received))
    by_header, _ = await outlets.pull(as_of)

    assert codes(first) + codes(second) + codes(third) == ["L1", "L2", "L3", "L4", "L5"]
    assert [page["totalRecords"] for page in (first, second, third)] == [4, 5, 5]
    assert still == as_of
    assert [record["ModifiedOn"] for record in received[3:]] == [as_of, as_of]
    assert codes(by_greatest) == codes(by_header) == ["L1", "L4", "L5"]
    assert min(record["ModifiedOn"] for record in by_header["records"]) > as_of


async def test_a_new_pull_with_the_same_filter_sees_what_is_new(outlets: Outlets) -> None:
    await outlets.add(4)
    _, as_of = await outlets.pull(limit=2)
    await outlets.touch("L1", "L4")

    again, later = await outlets.pull(limit=2)
    second, _ = await outlets.pull(start=2, limit=2)

    assert codes(again) + codes(second) == ["L1", "L2", "L3", "L4"]
    assert later > again["records"][0]["ModifiedOn"] > as_of


async def test_two_pulls_with_the_same_filter_at_once_repeat_rows_and_skip_none(outlets: Outlets) -> None:
    await outlets.add(6)
    ours, _ = await outlets.pull(limit=4)
    async with outlets.transaction() as connection:
        await connection.execute("UPDATE location SET is_deleted = true WHERE code = 'L1'")
    theirs, _ = await outlets.pull(limit=4)

    second, _ = await outlets.pull(start=4, limit=4)

    assert codes(ours) == codes(theirs) == ["L1", "L2", "L3", "L4"]
    assert codes(second) == ["L5", "L6"]


async def test_deletions_during_a_pull_make_no_page_skip_a_row(outlets: Outlets) -> None:
    await outlets.add(6)
    first, _ = await outlets.pull(limit=3)
    async with outlets.transaction() as connection:
        await connection.execute("UPDATE location SET is_deleted = true WHERE code IN ('L1', 'L5')")

    second, as_of = await outlets.pull(start=3, limit=3)
    rest, _ = await outlets.pull(as_of)

    assert codes(first) + codes(second) == ["L1", "L2", "L3", "L4", "L5", "L6"]
    assert [record["IsDeleted"] for record in second["records"]] == [0, 1, 0]
    assert [(record["Code"], record["IsDeleted"]) for record in rest["records"]] == [("L1", 1), ("L5", 1)]


async def test_pulls_of_other_filters_and_readers_keep_their_own_place(
    run: Runtime, client_id: ClientId, outlets: Outlets
) -> None:
    await outlets.add(6)
    await outlets.pull(limit=2)
    other = Principal(client_id, UserId(77), "other", Role.SALES_REP)
    params = Params([("filters", orjson.dumps(since(EPOCH)).decode()), ("start", "2"), ("limit", "2")])
    request = read_list_request(registry().datasets["Location"], params, most=100)
    async with outlets.transaction() as slow:  # holds L1 back, so that the others' offsets move
        await touch_outlets(slow, "L6")
        await outlets.touch("L1")

        theirs = await list_records(run, other, request)
        narrower, _ = await outlets.pull("2024-08-01T00:00:01", start=2, limit=2)
        ours, _ = await outlets.pull(start=2, limit=2)

    assert isinstance(theirs.body, bytes)
    assert codes(orjson.loads(theirs.body)) == codes(narrower) == ["L4", "L5"]
    assert codes(ours) == ["L3", "L4"]


async def test_a_page_without_a_remembered_one_before_it_starts_at_its_offset(outlets: Outlets) -> None:
    await outlets.add(6)

    page, _ = await outlets.pull(start=4, limit=2)

    assert (codes(page), page["totalRecords"]) == (["L5", "L6"], 6)


async def test_a_delta_sorted_by_the_caller_is_paged_as_asked(outlets: Outlets) -> None:
    await outlets.add(5)

    first, _ = await outlets.pull(limit=2, dir="DESC")
    second, _ = await outlets.pull(start=2, limit=2, dir="DESC")
    by_name, _ = await outlets.pull(start=2, limit=2, sort="Name")

    assert codes(first) + codes(second) == ["L5", "L4", "L3", "L2"]
    assert codes(by_name) == ["L3", "L4"]


async def test_large_pages_of_a_delta_remember_where_they_ended_too(outlets: Outlets) -> None:
    await outlets.add(2500)
    first, _ = await outlets.pull(limit=1200)
    async with outlets.transaction() as slow:
        await touch_outlets(slow, "L2500")
        await outlets.touch("L1", "L1200")

        second, _ = await outlets.pull(start=1200, limit=1200)
        third, _ = await outlets.pull(start=2400, limit=1200)

    assert codes(first) == [f"L{n}" for n in range(1, 1201)]
    assert codes(second) == [f"L{n}" for n in range(1201, 2401)]
    assert codes(third) == [f"L{n}" for n in range(2401, 2501)]


async def test_notes_of_pulls_are_forgotten_after_a_day(run: Runtime, outlets: Outlets) -> None:
    await outlets.add(3)
    await outlets.pull(limit=1)
    async with run.database.system() as owner:
        kept = await forget_page_ends(owner)
        await owner.execute("UPDATE list_position SET noted_on = noted_on - interval '25 hours'")

        forgotten = await forget_page_ends(owner)

    assert (kept, forgotten) == (0, 1)
