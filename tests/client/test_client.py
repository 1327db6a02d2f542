"""The client against a real server and PostgreSQL, over lines that break."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pyarrow as pa
import pytest

from coldshelf.access.principal import Role
from coldshelf.access.service import add_token, add_user
from coldshelf.client import (
    FileMarks,
    Gone,
    KeyReused,
    NoAnswer,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refused,
    Retries,
    ServerFailed,
    TooManyRequests,
    UploadRefused,
)
from coldshelf.entrypoints.bootstrap import runtime
from coldshelf.kit.ids import ClientId
from coldshelf.kit.settings import load_settings
from tests.acceptance.installation import Installation
from tests.client.conftest import LIMIT, Shelf
from tests.client.flaky import Line
from tests.conftest import PASSWORD
from tests.pictures.uploading import picture

OpenShelf = Callable[..., Shelf]
AddOutlets = Callable[[int], Awaitable[None]]
ADD = """
    INSERT INTO location (client_id, code, name, city) SELECT c.id, $1 || ' ' || n, 'Outlet ' || n, $1
    FROM client c, generate_series(1, $2) n WHERE c.code = 'demo'"""


@pytest.fixture
def city() -> str:
    """A city of this test's own, so that tests do not see each other's outlets."""
    return f"City {uuid4().hex[:8]}"


@pytest.fixture
async def add_outlets(installation: Installation, city: str) -> AddOutlets:
    async def add(count: int) -> None:
        connection = await asyncpg.connect(installation.database_url)
        try:
            await connection.execute(ADD, city, count)
        finally:
            await connection.close()

    return add


async def add_someone(installation: Installation, name: str, role: Role) -> str:
    """Add a user of the client; give a token."""
    settings = load_settings(data_dir=installation.folder)
    async with runtime(settings, installation.database_url, migrate=False) as run:
        client_id = ClientId((await installation.fetch("SELECT id FROM client WHERE code = 'demo'"))[0]["id"])
        user_id, _ = await add_user(run, client_id, name, password=PASSWORD, role=role)
        return await add_token(run, client_id, user_id, "test")


async def test_records_are_saved_loaded_changed_and_deleted(shelf: Shelf, city: str) -> None:
    made = await shelf.do("save", "Location", {"Code": city, "Name": "One", "Latitude": Decimal("13.75"), "City": city})
    changed = await shelf.do("save", "Location", {"id": made.id, "Name": "Two"})
    upserted = await shelf.do("save", "Location", {"Code": city, "Street": "First Street"})
    loaded = await shelf.do("load", "Location", LocationCode=city)
    deleted = await shelf.do("delete", "Location", made.id)

    assert made.id == changed.id == upserted.id == loaded.id == deleted.id
    assert (loaded.record["Name"], loaded.record["Street"], loaded.record["Latitude"]) == ("Two", "First Street", 13.75)
    assert deleted.record["IsDeleted"] == 1
    assert await shelf.all("list", "Location", {"City": city}) == []


async def test_what_the_server_refuses_is_an_error_with_its_words(shelf: Shelf) -> None:
    with pytest.raises(Refused) as refused:
        await shelf.do("save", "Location", {"id": 0, "Code": "no name"})

    assert "Name" in refused.value.info
    assert refused.value.request_id


async def test_list_pages_through_all(shelf: Shelf, add_outlets: AddOutlets, city: str) -> None:
    await add_outlets(25)

    records = await shelf.all("list", "Location", {"City": city}, page_size=10, sort="Name", descending=True)
    pages = await shelf.some(9, "list", "Location", {"City": city}, page_size=10)
    page = await shelf.do("page", "Location", {"City": city}, start=20, page_size=10)

    assert len({record["LocationId"] for record in records}) == 25
    assert [record["Name"] for record in records] == sorted((f"Outlet {n}" for n in range(1, 26)), reverse=True)
    assert [(len(page.records), page.total) for page in pages] == [(10, 25), (10, 25), (5, 25)]
    assert (len(page.records), page.total) == (5, 25)


async def test_mark_of_a_list_by_time_misses_nothing_that_is_committed_late(
    installation: Installation, shelf: Shelf, city: str
) -> None:
    began = datetime.now(UTC) - timedelta(minutes=5)
    late = await asyncpg.connect(installation.database_url)
    writing = late.transaction()
    await writing.start()
    await late.execute(ADD, city, 1)
    await late.execute("UPDATE location SET name = 'late' WHERE city = $1", city)
    listing = shelf.client.list("Location", {"City": city}, modified_since=began)
    first = await asyncio.to_thread(listing.all) if shelf.kind == "sync" else await listing.all()
    own_clock = datetime.now(UTC)
    await writing.commit()
    await late.close()

    by_clock = await shelf.all("list", "Location", {"City": city}, modified_since=own_clock)
    by_mark = await shelf.all("list", "Location", {"City": city}, modified_since=listing.as_of)

    assert (first, by_clock) == ([], [])
    assert [record["Name"] for record in by_mark] == ["late"]


async def test_changes_give_each_change_once_and_deletions_too(
    shelf: Shelf, add_outlets: AddOutlets, city: str, tmp_path: Path
) -> None:
    await add_outlets(5)
    marks = FileMarks(tmp_path / "marks.json")
    asked = {"filters": {"City": city}, "marks": marks, "name": city, "page_size": 2}
    first = await shelf.all("changes", "Location", **asked)
    nothing = await shelf.all("changes", "Location", **asked)

    await shelf.do("save", "Location", {"id": first[0]["LocationId"], "Name": "changed"})
    await shelf.do("delete", "Location", first[1]["LocationId"])
    changed = await shelf.all("changes", "Location", **(asked | {"marks": FileMarks(tmp_path / "marks.json")}))

    assert (len(first), nothing) == (5, [])
    assert [(record["LocationId"], record["Name"], record["IsDeleted"]) for record in changed] == [
        (first[0]["LocationId"], "changed", 0),
        (first[1]["LocationId"], first[1]["Name"], 1),
    ]


async def test_mark_moves_only_when_what_came_is_done(shelf: Shelf, add_outlets: AddOutlets, city: str) -> None:
    await add_outlets(5)
    marks: dict[str, str] = {}
    asked = {"filters": {"City": city}, "marks": marks, "page_size": 2}

    listing = shelf.client.changes("Location", **asked)
    not_done = await asyncio.to_thread(listing.all) if shelf.kind == "sync" else await listing.all()
    before = dict(marks)
    pages = await shelf.some(2, "changes", "Location", **asked)
    rest = await shelf.all("changes", "Location", **asked)

    assert (len(not_done), before) == (5, {})
    assert [record for page in pages for record in page.records] + rest == not_done
    assert (len(pages), len(rest)) == (2, 1)


async def test_page_of_which_not_every_record_was_taken_comes_again(
    shelf: Shelf, add_outlets: AddOutlets, city: str
) -> None:
    await add_outlets(5)
    asked = {"filters": {"City": city}, "marks": {}, "page_size": 2}

    taken = await shelf.some(3, "changes", "Location", **asked, by="__iter__")
    rest = await shelf.all("changes", "Location", **asked)

    assert [record["LocationId"] for record in taken][2:] == [record["LocationId"] for record in rest][:1]
    assert (len(taken), len(rest)) == (3, 3)


async def test_mark_of_other_filters_is_gone(shelf: Shelf, add_outlets: AddOutlets, city: str) -> None:
    await add_outlets(1)
    marks: dict[str, str] = {}
    await shelf.all("changes", "Location", {"City": city}, marks=marks)

    with pytest.raises(Gone):
        await shelf.all("changes", "Location", {"City": "elsewhere"}, marks=marks)


async def test_records_become_tables(shelf: Shelf, add_outlets: AddOutlets, city: str) -> None:
    await add_outlets(3)
    listing = shelf.client.list("Location", {"City": city})

    tables = [listing.arrow(), listing.pandas(), listing.polars()]
    table, frame, polar = tables if shelf.kind == "sync" else [await one for one in tables]

    assert table.num_rows == len(frame) == len(polar) == 3
    assert table.schema.field("ModifiedOn").type == pa.timestamp("us")
    assert table.schema.field("LocationId").type == pa.int64()
    assert table.schema.field("Code").type == pa.string()
    assert sorted(frame["Code"]) == sorted(polar["Code"].to_list()) == sorted(f"{city} {n}" for n in (1, 2, 3))


async def test_write_whose_answer_is_lost_takes_effect_once(
    open_shelf: OpenShelf, line: Line, city: str, installation: Installation
) -> None:
    shelf = open_shelf(line.address)
    line.script.extend(["lose", "half", "cut"])

    saved = await shelf.do("save", "Location", {"id": 0, "Code": city, "Name": "Once"})

    rows = await installation.fetch(f"SELECT id FROM location WHERE code = '{city}'")
    assert [row["id"] for row in rows] == [saved.id]
    assert saved.replayed is True
    assert len(shelf.waits) == 3
    keys = {head.lower().partition("idempotency-key: ")[2][:32] for head in line.heard.requests}
    assert len(keys) == 1


async def test_upload_whose_answer_is_lost_is_one_picture(
    open_shelf: OpenShelf, line: Line, installation: Installation
) -> None:
    shelf = open_shelf(line.address)
    content = picture(int(uuid4().int % 10**6), size=(120, 80))
    line.script.extend(["lose", "lose"])

    (sent,) = await shelf.do("upload", ("shelf.jpg", content), serial_number="C-1")

    rows = await installation.fetch(f"SELECT guid FROM picture WHERE id = {sent.asset_purity_id}")
    count = await installation.fetch(f"SELECT count(*) n FROM picture_file WHERE bytes = {len(content)}")
    assert [row["guid"] for row in rows] == [sent.guid]
    assert count[0]["n"] >= 1
    assert sent.success is True
    assert len(shelf.waits) == 2


async def test_list_goes_on_where_the_line_broke(
    open_shelf: OpenShelf, line: Line, add_outlets: AddOutlets, city: str
) -> None:
    await add_outlets(6)
    shelf = open_shelf(line.address)
    line.script.extend(["pass", "half", "late", "pass", "busy"])

    records = await shelf.all("list", "Location", {"City": city}, page_size=2)

    assert len({record["LocationId"] for record in records}) == len(records) == 6
    assert len(shelf.waits) == 3
    assert 7.0 <= shelf.waits[1] <= 7.5


async def test_line_that_stays_broken_is_an_error(open_shelf: OpenShelf, line: Line) -> None:
    shelf = open_shelf(line.address, retries=Retries(tries=3))
    line.script.extend(["cut"] * 3)

    with pytest.raises(NoAnswer):
        await shelf.do("page", "Location")

    assert len(line.heard.requests) == 3


async def test_server_that_is_not_there_is_an_error(open_shelf: OpenShelf) -> None:
    with pytest.raises(NoAnswer):
        await open_shelf("http://127.0.0.1:1", retries=Retries(tries=2)).do("page", "Location")


async def test_page_of_somebody_else_is_not_taken_for_an_answer(open_shelf: OpenShelf, line: Line) -> None:
    line.script.append("html")

    with pytest.raises(ServerFailed, match="is this the address of a Coldshelf"):
        await open_shelf(line.address).do("page", "Location")


async def flood(address: str, token: str) -> None:
    """Use up what a credential may ask within a minute."""
    async with httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        path = "/controllers/Location.ashx?action=list&limit=1"
        for _ in range(LIMIT // 20):
            await asyncio.gather(*[http.get(path) for _ in range(20)])


async def test_too_many_requests_say_when_to_come_back(installation: Installation, open_shelf: OpenShelf) -> None:
    token = await add_someone(installation, f"hurried {uuid4().hex[:8]}", Role.SALES_REP)
    shelf = open_shelf(installation.address, token=token, retries=Retries(tries=3))

    with pytest.raises(TooManyRequests) as refused:  # noqa: PT012  # see below
        for _ in range(3):  # on a slow machine the minute may be over too soon
            await flood(installation.address, token)
            await shelf.do("page", "Location", page_size=1)

    assert 1 <= refused.value.retry_after <= 60
    assert [wait >= 1 for wait in shelf.waits] == [True, True]


async def test_key_of_ones_own_stands_for_one_request(shelf: Shelf, city: str) -> None:
    first = await shelf.do("save", "Location", {"id": 0, "Code": city, "Name": "A"}, key=city)

    again = await shelf.do("save", "Location", {"id": 0, "Code": city, "Name": "A"}, key=city)

    assert (again.id, first.replayed, again.replayed) == (first.id, False, True)
    with pytest.raises(KeyReused):
        await shelf.do("save", "Location", {"id": 0, "Code": city, "Name": "B"}, key=city)


async def test_wrong_password_and_wrong_role_are_errors(installation: Installation, open_shelf: OpenShelf) -> None:
    token = await add_someone(installation, f"rep {uuid4().hex[:8]}", Role.SALES_REP)

    with pytest.raises(NotSignedIn):
        await open_shelf(installation.address, user="admin", password="wrong").do("page", "Location")
    with pytest.raises(NotAllowed):
        await open_shelf(installation.address, token=token).do("save", "Product", {"id": 0, "SKU": "1", "Product": "A"})


async def test_pictures_are_uploaded_and_seen(installation: Installation, shelf: Shelf, tmp_path: Path) -> None:
    seed = uuid4().int % 10**6
    path = tmp_path / "left.jpg"
    path.write_bytes(picture(seed, size=(320, 240)))

    (one,) = await shelf.do(
        "upload", path, ("right.jpg", picture(seed + 1, size=(320, 240))), serial_number="C-1", grid_order=[2, 1]
    )
    (again,) = await shelf.do(
        "upload", path, ("right.jpg", picture(seed + 1, size=(320, 240))), serial_number="C-1", grid_order=[2, 1]
    )
    (record,) = await shelf.all("list", "AssetPurity", {"AssetPurityId": one.asset_purity_id})
    (places,) = await installation.fetch(
        f"SELECT array_agg(place ORDER BY number) p FROM picture_file WHERE picture_id = {one.asset_purity_id}"
    )

    assert (one.success, one.repeated, again.repeated, again.guid) == (True, False, True, one.guid)
    assert (record["UniqueGuid"], places["p"]) == (str(one.guid), [2, 1])


async def test_picture_that_is_not_ready_is_waited_for(
    installation: Installation, open_shelf: OpenShelf, shelf: Shelf
) -> None:
    (sent,) = await shelf.do("upload", picture(uuid4().int % 10**6, size=(320, 240)), serial_number="C-1")
    await installation.settle()

    jpeg = await shelf.do("preview", sent.guid, max_width=100, wait=60)

    assert jpeg[:3] == b"\xff\xd8\xff"
    with pytest.raises(NotFound):
        await shelf.do("preview", UUID(int=1), wait=60)


async def test_refused_picture_is_an_error_that_has_what_was_taken(shelf: Shelf) -> None:
    good, bad = picture(uuid4().int % 10**6), picture(2)[:150]

    with pytest.raises(UploadRefused) as refused:
        await shelf.do("upload", good, bad, serial_number="C-1", stitch=False)
    results = await shelf.do("upload", good, bad, serial_number="C-1", stitch=False, strict=False)

    assert [result.success for result in refused.value.results] == [True, False]
    assert refused.value.info == "Image is corrupted"
    assert [(result.success, result.repeated) for result in results] == [(True, True), (False, False)]


async def test_picture_by_url_is_refused_for_the_inside(shelf: Shelf) -> None:
    with pytest.raises(UploadRefused, match=r"Image could not be fetched: .* 127\.0\.0\.1 is not public"):
        await shelf.do("upload", urls=["https://127.0.0.1/a.jpg"], serial_number="C-1")
