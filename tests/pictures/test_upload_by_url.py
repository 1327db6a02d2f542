"""Pictures named by URL: fetched through the guarded client, then the same upload (contract 2)."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import signed_in_client
from tests.pictures.uploading import (
    Shop,
    accepted,
    info_of,
    nothing_kept,
    objects_of,
    one_record,
    picture,
    rows,
    upload,
)
from tests.support import hostile_urls
from tests.support.receiver import Receiver, answer, receiver, redirect

from coldshelf.access.principal import Role
from coldshelf.kit.http import open_outgoing
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FaultyStore, ScriptedNames

pytestmark = pytest.mark.usefixtures("shop")

GONE = answer(b"<html>secret</html>", status="404 Not Found")


@pytest.fixture
async def pages() -> dict[str, bytes]:
    """What stands at each path of the far server; the tests add to it."""
    return {}


@pytest.fixture
async def far(pages: dict[str, bytes]) -> AsyncIterator[Receiver]:
    async with receiver(lambda head: pages.get(head.split(" ")[1].partition("?")[0], GONE)) as listening:
        yield listening


@pytest.fixture
async def names() -> ScriptedNames:
    return ScriptedNames({"pictures.example": [["127.0.0.1"]], "inside.example": [["10.0.0.1"]]})


@pytest.fixture
async def open_door(app: FastAPI, far: Receiver, names: ScriptedNames) -> AsyncIterator[Callable[..., None]]:
    """Let the application call the far server by its name; more settings can be changed."""
    opened = []

    def open_it(**changed: object) -> None:
        settings = app.state.run.settings.model_copy(
            update={
                "outgoing_http": True,
                "outgoing_ports": (far.port,),
                "outgoing_allow": ("pictures.example",),
                **changed,
            }
        )
        opened.append(open_outgoing(settings, names))
        app.state.run = replace(app.state.run, settings=settings, outgoing=opened[-1])

    yield open_it
    for client in opened:
        await client.close()


@pytest.fixture
async def base(far: Receiver, open_door: Callable[..., None]) -> str:
    open_door()
    return f"http://pictures.example:{far.port}"


async def by_url(http: httpx.AsyncClient, *urls: str, **form: object) -> httpx.Response:
    return await http.post(
        "/controllers/CoolRAPI.ashx",
        params={"action": "uploadImage"},
        data={"ImageUrl": list(urls), **{name: str(value) for name, value in form.items()}},
    )


async def test_picture_is_fetched_and_taken_like_a_file(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, pages: dict[str, bytes], base: str
) -> None:
    pages["/shelf%201.jpg"] = answer(picture(1))

    sent = await by_url(admin, f"{base}/shelf%201.jpg?token=secret", SerialNumber="C-1")

    (entry,) = accepted(sent)
    record = await one_record(run, shop.client_id)
    (file,) = await rows(run, shop.client_id, "picture_file", "number")
    assert (record["id"], record["asset_id"]) == (entry["AssetPurityId"], shop.assets["C-1"])
    assert (file["file_name"], file["bytes"]) == ("shelf 1.jpg", len(picture(1)))
    assert run.objects.get(file["object_key"]) == picture(1)


async def test_url_in_the_query_is_taken_as_well(admin: httpx.AsyncClient, pages: dict[str, bytes], base: str) -> None:
    pages["/a.jpg"] = answer(picture(1))

    sent = await upload(
        admin, query=[("action", "uploadImage"), ("SerialNumber", "C-1"), ("imageurl", f"{base}/a.jpg")]
    )

    assert len(accepted(sent)) == 1


async def test_files_and_urls_make_one_picture_files_first(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, pages: dict[str, bytes], base: str
) -> None:
    pages |= {"/b.jpg": answer(picture(2)), "/c.jpg": answer(picture(3))}
    query = [("action", "uploadImage"), ("ImageUrl", f"{base}/b.jpg"), ("ImageUrl", f"{base}/c.jpg")]

    sent = await upload(admin, picture(1), query=query, SerialNumber="C-1", GridOrder="2,1,3")

    assert len(accepted(sent)) == 1
    files = await rows(run, shop.client_id, "picture_file", "number")
    assert [(file["place"], run.objects.get(file["object_key"])) for file in files] == [
        (2, picture(1)), (1, picture(2)), (3, picture(3)),
    ]  # fmt: skip


async def test_picture_that_cannot_be_fetched_fails_alone(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, pages: dict[str, bytes], base: str
) -> None:
    pages["/a.jpg"] = answer(picture(1))

    sent = await by_url(
        admin, f"{base}/gone.jpg?sig=hidden", f"{base}/a.jpg", SerialNumber="C-1", IsStitchImage="false"
    )

    first, second = sent.json()
    assert first == {
        "Success": False,
        "Info": f"Image could not be fetched: {base}/gone.jpg: status 404. Check that the URL can be read without "
        "signing in.",
    }
    assert second["Success"] is True
    assert len(await rows(run, shop.client_id)) == 1
    assert len(objects_of(run)) == 1


async def test_member_that_cannot_be_fetched_refuses_the_set_and_names_the_file(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, pages: dict[str, bytes], base: str
) -> None:
    pages["/a.jpg"] = answer(picture(1))

    info = info_of(await by_url(admin, f"{base}/a.jpg", f"{base}/gone.jpg", SerialNumber="C-1"))

    assert info.startswith(f"Image could not be fetched: {base}/gone.jpg: status 404.")
    assert info.endswith(": gone.jpg")
    assert await nothing_kept(run, shop.client_id)


async def test_what_is_fetched_and_is_no_picture_is_corrupted(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, pages: dict[str, bytes], base: str
) -> None:
    pages["/a.jpg"] = answer(picture(1)[:200], "Content-Type: text/html")

    info = info_of(await by_url(admin, f"{base}/a.jpg", SerialNumber="C-1"))

    assert info == "Image is corrupted"
    assert await rows(run, shop.client_id) == []


async def test_same_bytes_by_file_and_by_url_are_one_upload(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, pages: dict[str, bytes], base: str
) -> None:
    pages["/a.jpg"] = answer(picture(1))
    first = await upload(admin, picture(1), SerialNumber="C-1")

    again = await by_url(admin, f"{base}/a.jpg", SerialNumber="C-1")

    assert again.content == first.content
    assert again.headers["X-Duplicate-Of"] == first.json()[0]["UniqueGuid"]
    assert len(await rows(run, shop.client_id)) == 1


async def test_repeated_key_fetches_nothing_again(
    admin: httpx.AsyncClient, far: Receiver, pages: dict[str, bytes], base: str
) -> None:
    pages["/a.jpg"] = answer(picture(1))
    admin.headers["Idempotency-Key"] = "one"
    first = await by_url(admin, f"{base}/a.jpg", SerialNumber="C-1")

    again = await by_url(admin, f"{base}/a.jpg", SerialNumber="C-1")
    other = await by_url(admin, f"{base}/b.jpg", SerialNumber="C-1")

    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert other.status_code == 422
    assert len(far.requests) == 1


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"SerialNumber": "NOWHERE"}, "Asset not found: NOWHERE"),
        ({"SerialNumber": "C-OLD"}, "Asset C-OLD is Inactive"),
        ({}, "StoreNumber or Asset Serial# is required"),
        ({"SerialNumber": "C-1", "GridOrder": "1,2,3"}, "Files did not match with the grid order"),
        ({"SerialNumber": "C-1", "BeforeAfterImage": "7"}, "BeforeAfterImage takes"),
    ],
)
async def test_nothing_is_fetched_for_an_upload_that_would_be_refused(
    admin: httpx.AsyncClient, far: Receiver, base: str, form: dict[str, str], words: str
) -> None:
    info = info_of(await by_url(admin, f"{base}/a.jpg", f"{base}/b.jpg", **form))

    assert info.startswith(words)
    assert far.connections == 0


async def test_empty_url_is_no_file(admin: httpx.AsyncClient, base: str) -> None:
    assert info_of(await by_url(admin, "", " ", SerialNumber="C-1")) == "No image files found to upload"


async def test_files_and_urls_count_together(
    admin: httpx.AsyncClient, far: Receiver, base: str, open_door: Callable[..., None]
) -> None:
    open_door(max_files=2)
    query = [("action", "uploadImage"), ("ImageUrl", f"{base}/a.jpg"), ("ImageUrl", f"{base}/b.jpg")]

    sent = await upload(admin, picture(1), query=query, SerialNumber="C-1")

    assert (sent.status_code, info_of(sent)) == (413, "The upload has more than 2 files")
    assert far.connections == 0


async def test_picture_larger_than_a_body_fails_alone(
    run: Runtime,
    admin: httpx.AsyncClient,
    shop: Shop,
    pages: dict[str, bytes],
    base: str,
    open_door: Callable[..., None],
) -> None:
    open_door(max_body_bytes=2000)
    pages["/a.jpg"] = answer(bytes(2001))

    info = info_of(await by_url(admin, f"{base}/a.jpg", SerialNumber="C-1"))

    assert info == f"Image could not be fetched: {base}/a.jpg: the answer is larger than 2,000 bytes."
    assert await nothing_kept(run, shop.client_id)


async def test_pictures_larger_together_than_a_body_are_refused_whole(
    run: Runtime,
    admin: httpx.AsyncClient,
    shop: Shop,
    pages: dict[str, bytes],
    base: str,
    open_door: Callable[..., None],
) -> None:
    open_door(max_body_bytes=2000)
    pages |= {"/a.jpg": answer(bytes(1001)), "/b.jpg": answer(bytes(1000))}

    sent = await by_url(admin, f"{base}/a.jpg", f"{base}/b.jpg", SerialNumber="C-1")

    assert sent.status_code == 413
    assert info_of(sent) == "The pictures of the upload are larger than 2,000 bytes together"
    assert await nothing_kept(run, shop.client_id)


async def test_slow_server_fails_its_picture_in_time(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, names: ScriptedNames, open_door: Callable[..., None]
) -> None:
    async with receiver(answer(picture(1)), pause=0.05) as slow:
        open_door(outgoing_timeout=timedelta(seconds=0.2), outgoing_ports=(slow.port,))

        info = info_of(await by_url(admin, f"http://pictures.example:{slow.port}/a.jpg", SerialNumber="C-1"))

    assert "no answer in time" in info
    assert await nothing_kept(run, shop.client_id)


async def test_full_disk_is_the_published_fault(
    app: FastAPI, admin: httpx.AsyncClient, pages: dict[str, bytes], base: str
) -> None:
    pages["/a.jpg"] = answer(picture(1))
    app.state.run = replace(app.state.run, objects=FaultyStore(app.state.run.objects, fail_writes=-1))

    sent = await by_url(admin, f"{base}/a.jpg", SerialNumber="C-1")

    assert (sent.status_code, info_of(sent)) == (500, "Something went wrong while saving image")


async def test_hostile_urls_are_refused_before_a_connection(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, far: Receiver, names: ScriptedNames, base: str
) -> None:
    urls = [text.replace("{port}", str(far.port)) for text in hostile_urls.REFUSED_UNASKED]
    # blanks around a parameter mean nothing to the upload
    urls = [url for url in urls if url.strip() == url and url] + [f"http://inside.example:{far.port}/"]

    for some in (urls[n : n + 20] for n in range(0, len(urls), 20)):
        entries = (await by_url(admin, *some, SerialNumber="C-1", IsStitchImage="false")).json()
        assert [entry["Success"] for entry in entries] == [False] * len(some)
        assert {entry["Info"][:28] for entry in entries} == {"Image could not be fetched: "}

    assert names.asked == ["inside.example"]
    assert far.connections == 0
    assert await nothing_kept(run, shop.client_id)


async def test_redirect_to_the_inside_fails_and_is_not_repeated(
    admin: httpx.AsyncClient, far: Receiver, pages: dict[str, bytes], base: str
) -> None:
    pages["/a.jpg"] = redirect(f"http://127.0.0.1:{far.port}/secret")

    info = info_of(await by_url(admin, f"{base}/a.jpg", SerialNumber="C-1"))

    assert f"{base}/a.jpg: redirected to what is not called" in info
    assert len(far.requests) == 1


@pytest.mark.parametrize("role", [Role.CLIENT_ADMIN, Role.INSTALLER, Role.SALES_REP])
async def test_who_may_upload_may_upload_by_url(
    run: Runtime, app: FastAPI, client_id: ClientId, pages: dict[str, bytes], base: str, role: Role
) -> None:
    pages["/a.jpg"] = answer(picture(1))
    async with await signed_in_client(run, app, client_id, "somebody", role) as http:
        assert len(accepted(await by_url(http, f"{base}/a.jpg", SerialNumber="C-1"))) == 1


async def test_nobody_makes_the_server_call_out(nobody: httpx.AsyncClient, far: Receiver, base: str) -> None:
    sent = await by_url(nobody, f"{base}/a.jpg", SerialNumber="C-1")

    assert sent.status_code == 401
    assert far.connections == 0


async def test_serial_number_of_another_client_is_not_found_and_nothing_fetched(
    stranger: httpx.AsyncClient, far: Receiver, base: str
) -> None:
    assert info_of(await by_url(stranger, f"{base}/a.jpg", SerialNumber="C-1")) == "Asset not found: C-1"
    assert far.connections == 0
