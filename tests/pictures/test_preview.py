"""The preview: what is served, what never is, and what its answers give away (contract 3)."""

import io
import uuid
from datetime import timedelta

import cv2
import httpx
import numpy as np
import pytest
from PIL import Image
from tests.pictures.uploading import (
    PREVIEW,
    Shop,
    accepted,
    objects_of,
    one_record,
    picture,
    rows,
    taken,
    upload,
    work_off,
)

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures.models import Rendition
from coldshelf.pictures.service import renditions

pytestmark = pytest.mark.usefixtures("shop")

SIZE = (640, 480)


async def guid_of(http: httpx.AsyncClient, *files: bytes, **form: object) -> str:
    (entry,) = accepted(await upload(http, *files, **form))
    return str(entry["UniqueGuid"])


async def look(http: httpx.AsyncClient, guid: str, **params: object) -> httpx.Response:
    return await http.get(PREVIEW, params={"guid": guid, **params})


def opened(answer: httpx.Response) -> Image.Image:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    return Image.open(io.BytesIO(answer.content))


def nothing_said(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.content, answer.headers.get("etag")) == (404, b"", None)


@pytest.fixture
async def prepared(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> str:
    """The GUID of a prepared picture of two files."""
    guid = await guid_of(admin, picture(1, size=SIZE), picture(2, size=SIZE), SerialNumber="C-1")
    await work_off(run, only="pictures.")
    return guid


async def annotate(run: Runtime, client_id: ClientId) -> bytes:
    record = await one_record(run, client_id)
    jpeg = picture(77, size=SIZE)
    run.objects.put("renditions/annotated.jpg", jpeg)
    async with run.database.scope(client_id) as connection:
        await renditions.add_rendition(
            connection, record["id"], Rendition("annotated", "test 1", "renditions/annotated.jpg", *SIZE, len(jpeg))
        )
    return jpeg


async def test_every_kind_is_served_without_a_sign_in_in_any_letter_case(
    run: Runtime, nobody: httpx.AsyncClient, shop: Shop, prepared: str
) -> None:
    jpeg = await annotate(run, shop.client_id)
    cases = [
        ({}, (1280, 480)),
        ({"imageType": "Stitched"}, (1280, 480)),
        ({"imagetype": "STITCHED"}, (1280, 480)),
        ({"imageType": "Cam1"}, SIZE),
        ({"IMAGETYPE": "cam2"}, SIZE),
        ({"imageType": "Annotated"}, SIZE),
        ({"imageType": ""}, (1280, 480)),
    ]

    for params, size in cases:
        with opened(await look(nobody, prepared, **params)) as image:
            assert image.size == size, params
    for path in (PREVIEW, PREVIEW.lower(), PREVIEW.upper()):
        assert (await nobody.get(path, params={"GUID": prepared.upper()})).status_code == 200
    assert (await look(nobody, prepared, imageType="annotated")).content == jpeg


async def test_parameters_may_come_by_post(nobody: httpx.AsyncClient, prepared: str) -> None:
    with opened(await nobody.post(PREVIEW, data={"guid": prepared, "maxWidth": "64"})) as image:
        assert image.size == (64, 24)


async def test_head_tells_the_headers_only(nobody: httpx.AsyncClient, prepared: str) -> None:
    answer = await nobody.head(PREVIEW, params={"guid": prepared})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")


async def test_width_is_clamped_and_never_enlarges(nobody: httpx.AsyncClient, prepared: str) -> None:
    for wanted, width in (("320", 320), ("1", 16), ("0", 16), ("-5", 16), ("16", 16), ("99999", 1280), ("1280", 1280)):
        with opened(await look(nobody, prepared, maxWidth=wanted)) as image:
            assert image.width == width, wanted

    answer = await look(nobody, prepared, maxWidth="wide")
    assert (answer.status_code, answer.json()["info"]) == (400, "maxWidth takes a whole number, not 'wide'.")


async def test_unknown_and_malformed_guids_look_the_same(
    run: Runtime, nobody: httpx.AsyncClient, shop: Shop, prepared: str
) -> None:
    record = await one_record(run, shop.client_id)
    wrong = (str(uuid.uuid4()), "nonsense", "", str(record["id"]), prepared[:-1], f"{prepared}0", "0" * 32, "'; --")

    answers = [await look(nobody, guid) for guid in wrong]

    assert all(nothing_said(answer) for answer in answers)
    assert len({tuple(sorted(set(answer.headers) - {"x-request-id"})) for answer in answers}) == 1


async def test_original_and_other_kinds_are_never_served(
    run: Runtime, nobody: httpx.AsyncClient, admin: httpx.AsyncClient, prepared: str
) -> None:
    for kind in ("original", "ORIGINAL", "Original1", "cam0", "cam3", "cam21", "../original", "stitched.jpg", "raw"):
        assert nothing_said(await look(nobody, prepared, imageType=kind)), kind
        assert nothing_said(await look(admin, prepared, imageType=kind)), kind

    served = {(await look(nobody, prepared, imageType=kind)).content for kind in ("Stitched", "Cam1", "Cam2")}
    originals = {run.objects.get(key) for key in objects_of(run) if key.startswith("originals/")}
    assert (len(originals), served & originals) == (2, set())


async def test_nothing_is_served_before_people_are_redacted(
    run: Runtime, nobody: httpx.AsyncClient, admin: httpx.AsyncClient, shop: Shop
) -> None:
    guid = await guid_of(admin, picture(size=SIZE), SerialNumber="C-1")

    for kind in ("Stitched", "Cam1", "Annotated"):
        answer = await look(nobody, guid, imageType=kind)
        assert nothing_said(answer)
        assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("2", "no-store")

    await work_off(run, only="pictures.")
    assert (await look(nobody, guid)).status_code == 200


async def test_annotated_picture_is_awaited_only_where_one_will_come(
    run: Runtime, nobody: httpx.AsyncClient, admin: httpx.AsyncClient, shop: Shop
) -> None:
    black = cv2.imencode(".png", np.zeros((480, 640, 3), np.uint8))[1].tobytes()
    coming = await guid_of(admin, picture(1, size=SIZE), SerialNumber="C-1")
    waiting = await guid_of(admin, picture(2, size=SIZE), StoreNumber="MANY")
    other_scene = await guid_of(admin, picture(3, size=SIZE), SerialNumber="C-1", SceneType="AssetView")
    rejected = await guid_of(admin, black, SerialNumber="C-1")
    await work_off(run, only="pictures.")

    found = {
        guid: (await look(nobody, guid, imageType="Annotated")).headers.get("retry-after")
        for guid in (coming, waiting, other_scene, rejected)
    }

    assert found == {coming: "2", waiting: "2", other_scene: None, rejected: None}


async def test_picture_without_a_future_says_so(
    run: Runtime, nobody: httpx.AsyncClient, admin: httpx.AsyncClient, shop: Shop
) -> None:
    empty = await guid_of(admin, b"", SerialNumber="C-1")

    answer = await look(nobody, empty)

    assert nothing_said(answer)
    assert "retry-after" not in answer.headers


async def test_rejected_for_want_of_a_planogram_is_still_shown(
    run: Runtime, nobody: httpx.AsyncClient, admin: httpx.AsyncClient, shop: Shop
) -> None:
    async with run.database.system() as connection:
        await connection.execute("UPDATE client SET demands_planogram = true WHERE id = $1", shop.client_id)
    guid = await guid_of(admin, picture(size=SIZE), SerialNumber="C-2")

    assert (await look(nobody, guid)).headers["retry-after"] == "2"
    await work_off(run, only="pictures.")
    assert (await look(nobody, guid)).status_code == 200


async def test_answer_may_be_kept_by_its_reader_and_asked_for_again(nobody: httpx.AsyncClient, prepared: str) -> None:
    first = await look(nobody, prepared)
    small = await look(nobody, prepared, maxWidth=64)
    tag = first.headers["etag"]

    assert first.headers["cache-control"] == "private, max-age=60"
    assert len({tag, small.headers["etag"], (await look(nobody, prepared, imageType="Cam1")).headers["etag"]}) == 3
    for sent in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = await nobody.get(PREVIEW, params={"guid": prepared}, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await nobody.get(PREVIEW, params={"guid": prepared}, headers={"If-None-Match": small.headers["etag"]})
    assert (other.status_code, other.content) == (200, first.content)


async def test_nothing_identifying_comes_with_the_picture(
    run: Runtime, nobody: httpx.AsyncClient, admin: httpx.AsyncClient, shop: Shop, clock: object
) -> None:
    moment = run.clock.now() - timedelta(days=1)
    guid = await guid_of(admin, taken(picture(size=SIZE), moment, "+00:00", gps=True), SerialNumber="C-1")
    await work_off(run, only="pictures.")

    answer = await look(nobody, guid)

    with opened(answer) as image:
        assert (dict(image.getexif()), set(image.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}) == (
            {},
            set(),
        )
    known = {"cache-control", "etag", "content-type", "content-length", "x-content-type-options", "x-request-id"}
    assert set(answer.headers) == known
    (event, *_) = await rows(run, shop.client_id, "event")
    assert str(event["id"]) not in answer.headers["etag"]


async def test_planogram_is_drawn_with_its_products(
    run: Runtime, nobody: httpx.AsyncClient, admin: httpx.AsyncClient, shop: Shop
) -> None:
    async with run.database.scope(shop.client_id) as connection:
        product = await connection.fetchval(
            "INSERT INTO product (client_id, name, sku, short_name) VALUES ($1, 'Alpha', 'A', 'Alpha') RETURNING id",
            shop.client_id,
        )
        plan = await connection.fetchval("SELECT planogram_id FROM asset WHERE serial_number = 'C-1'")
        for place in (1, 2):
            await connection.execute(
                "INSERT INTO planogram_product (client_id, planogram_id, shelf, position, product_id, stack_size)"
                " VALUES ($1, $2, 1, $3, $4, 1)",
                shop.client_id,
                plan,
                place,
                product,
            )
    guid = await guid_of(admin, picture(size=SIZE), SerialNumber="C-1")
    without = await guid_of(admin, picture(size=SIZE), SerialNumber="C-2")

    first = await look(nobody, guid, imageType="Planogram")
    with opened(first) as image:
        assert image.width == 1024
    with opened(await look(nobody, guid, imageType="PLANOGRAM", maxWidth=100)) as image:
        assert image.width == 100
    assert nothing_said(await look(nobody, without, imageType="Planogram"))
    assert str(plan) != first.headers["etag"].strip('"')

    async with run.database.scope(shop.client_id) as connection:
        await connection.execute("UPDATE planogram SET name = 'Renamed' WHERE id = $1", plan)
    assert (await look(nobody, guid, imageType="Planogram")).headers["etag"] != first.headers["etag"]


async def test_view_in_store_is_the_newest_of_the_outlet(
    run: Runtime, nobody: httpx.AsyncClient, admin: httpx.AsyncClient, shop: Shop
) -> None:
    guid = await guid_of(admin, picture(1, size=SIZE), SerialNumber="C-1")
    elsewhere = await guid_of(admin, picture(2, size=SIZE), StoreNumber="MANY")
    assert nothing_said(await look(nobody, guid, imageType="InStore"))

    for seed, size in ((3, (320, 240)), (4, (400, 240))):
        await guid_of(admin, picture(seed, size=size), StoreNumber="ONE", SceneType="StoreView")
        assert (await look(nobody, guid, imageType="InStore")).status_code == (404 if seed == 3 else 200)
        await work_off(run, only="pictures.")

    with opened(await look(nobody, guid, imageType="instore")) as image:
        assert image.size == (400, 240)
    assert nothing_said(await look(nobody, elsewhere, imageType="InStore"))


async def test_deleted_picture_is_gone(run: Runtime, nobody: httpx.AsyncClient, shop: Shop, prepared: str) -> None:
    async with run.database.scope(shop.client_id) as connection:
        await connection.execute("UPDATE picture SET is_deleted = true")

    assert nothing_said(await look(nobody, prepared))
