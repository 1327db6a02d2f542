"""How an upload is asked for: places, letter case, parameters and their defaults (contract 2.1)."""

import httpx
import pytest
from tests.pictures.uploading import (
    IMEI_ONE,
    PATH,
    Shop,
    accepted,
    info_of,
    nothing_kept,
    one_record,
    picture,
    rows,
    upload,
)

from coldshelf.kit.runtime import Runtime

pytestmark = pytest.mark.usefixtures("shop")


async def test_parameters_in_the_form_are_taken(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await upload(admin, picture(), query={}, action="uploadImage", SerialNumber="C-1")

    accepted(answer)
    assert (await one_record(run, shop.client_id))["asset_id"] == shop.assets["C-1"]


async def test_parameters_in_the_query_are_taken(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await upload(admin, picture(), query={"action": "uploadImage", "SerialNumber": "C-1"})

    accepted(answer)
    assert (await one_record(run, shop.client_id))["asset_id"] == shop.assets["C-1"]


async def test_form_wins_where_both_places_name_one(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    query = {"action": "uploadImage", "SerialNumber": "C-1", "SceneType": "POS"}
    answer = await upload(admin, picture(), query=query, serialnumber="C-2", action="UPLOADIMAGE")

    accepted(answer)
    record = await one_record(run, shop.client_id)
    assert (record["serial_number"], record["scene_type"]) == ("C-2", "POS")


async def test_first_of_two_query_values_is_taken(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    query = [("action", "uploadImage"), ("SerialNumber", "C-1"), ("serialNumber", "C-2"), ("SerialNumber", "C-3")]
    answer = await upload(admin, picture(), query=query)

    accepted(answer)
    assert (await one_record(run, shop.client_id))["serial_number"] == "C-1"


async def test_letter_case_does_not_matter(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    paths = (PATH, PATH.lower(), PATH.upper(), "/controllers/CoolrAPI.ashx")
    names = (("uploadImage", "SerialNumber"), ("UPLOADIMAGE", "serialnumber"), ("uploadimage", "SERIALNUMBER"))
    cases = [(path, action, name) for path in paths for action, name in names]

    for seed, (path, action, name) in enumerate(cases):
        accepted(await upload(admin, picture(seed), path=path, query={"ACTION": action, name: "c-1"}))

    assert [record["serial_number"] for record in await rows(run, shop.client_id)] == ["C-1"] * len(cases)


async def test_defaults_are_the_published_ones(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    accepted(await upload(admin, picture(1), picture(2), SerialNumber="C-1"))

    record = await one_record(run, shop.client_id)
    assert record["scene_type"] == "ProductAnalysis"
    assert (record["image_received_from"], record["source_name"]) == (1, "StoreAware")
    assert (record["is_stitched"], record["file_count"], record["grid_order"]) == (True, 2, None)
    assert (record["before_after"], record["callback_url"], record["notes"]) == (0, None, "")


async def test_every_parameter_is_kept(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await upload(
        admin,
        picture(1),
        picture(2),
        SerialNumber="C-1",
        StoreNumber="ONE",
        IMEI=IMEI_ONE,
        SceneType="promotion",
        ImageReceivedFrom="2",
        IsStitchImage="True",
        GridOrder="2, 1",
        BeforeAfterImage="1",
        VerifyFileSize="true",
        callbackUrl="https://example.org/done?x=1",
    )

    accepted(answer)
    record = await one_record(run, shop.client_id)
    assert (record["serial_number"], record["store_number"], record["imei"]) == ("C-1", "ONE", IMEI_ONE)
    assert record["scene_type"] == "Promotion"
    assert (record["image_received_from"], record["source_name"]) == (2, "StoreBuddy")
    assert (record["is_stitched"], record["grid_order"], record["before_after"]) == (True, "2, 1", 1)
    assert record["callback_url"] == "https://example.org/done?x=1"
    assert record["notes"] == ""
    assert {event["callback_urls"][0] for event in await rows(run, shop.client_id, "event")} == {
        "https://example.org/done?x=1"
    }


async def test_record_keeps_the_names_of_its_moment(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    (entry,) = accepted(await upload(admin, ("kühl.jpg", picture()), SerialNumber="C-1"))

    record = await one_record(run, shop.client_id)
    assert (record["id"], str(record["guid"])) == (entry["AssetPurityId"], entry["UniqueGuid"])
    assert (record["location_id"], record["location_code"]) == (shop.outlets["ONE"], "ONE")
    assert (record["location_name"], record["city"], record["state"], record["country"]) == (
        "Shop ONE",
        "Springfield",
        "Oregon",
        "USA",
    )
    assert (record["planogram_name"], record["door_count"], record["columns"], record["shelves"]) == ("Plan A", 2, 8, 4)
    assert record["items_per_column"] == 6
    assert (record["created_by_user"], record["total_bytes"]) == ("admin", len(picture()))
    (file,) = await rows(run, shop.client_id, "picture_file", "number")
    assert (file["file_name"], file["bytes"], file["place"]) == ("kühl.jpg", len(picture()), 1)
    assert run.objects.get(file["object_key"]) == picture()


async def test_switches_are_read_in_every_spelling(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    seed = 0
    for sent in ("true", "TRUE", "1", "yes", "False", "0", "no", ""):
        seed += 2
        entries = accepted(
            await upload(admin, picture(seed), picture(seed + 1), SerialNumber="C-1", IsStitchImage=sent)
        )
        assert len(entries) == (2 if sent in {"False", "0", "no"} else 1), sent


async def test_values_that_are_none_name_their_parameter(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    switch, number = "{} takes true, false, 1, 0, yes or no, not {!r}.", "{} takes a whole number, not {!r}."
    before_after = "{} takes 0 (not specified), 1 (before) or 2 (after), not {}."
    callback = "{} takes a URL that begins with https:// or http://."
    cases = [
        ("IsStitchImage", "perhaps", switch),
        ("VerifyFileSize", "2", switch),
        *(("ImageReceivedFrom", sent, number) for sent in ("one", "1.5", "1e3", "0x1", "٣", "9" * 30)),
        *(("BeforeAfterImage", sent, number) for sent in ("after", "1.0")),
        *(("BeforeAfterImage", sent, before_after) for sent in ("3", "-1")),
        *(("callbackUrl", sent, callback) for sent in ("ftp://a.example/x", "javascript:1", "a.example", "https://")),
        ("callbackUrl", "http://[1", callback),
    ]

    for name, sent, words in cases:
        answer = await upload(admin, picture(), **{"SerialNumber": "C-1", name: sent})
        assert (answer.status_code, info_of(answer)) == (200, words.format(name, sent))

    assert await nothing_kept(run, shop.client_id)


async def test_text_that_is_too_long_is_refused_and_never_cut(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    for name in ("SerialNumber", "StoreNumber", "IMEI", "SceneType", "GridOrder"):
        answer = await upload(admin, picture(), **{"SerialNumber": "C-1", name: "x" * 251})
        assert info_of(answer) == f"{name} takes at most 250 characters, not 251."

    assert await nothing_kept(run, shop.client_id)


async def test_unknown_source_is_accepted_and_noted(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    accepted(await upload(admin, picture(), SerialNumber="C-1", ImageReceivedFrom="77"))

    record = await one_record(run, shop.client_id)
    assert (record["image_received_from"], record["source_name"]) == (77, None)
    assert record["notes"] == "ImageReceivedFrom 77 is not a known source"
    assert record["submission_outcome"] == "AutoProvisioned"


async def test_unknown_parameters_are_passed_over(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    accepted(await upload(admin, picture(), SerialNumber="C-1", Session="1", _dc="2"))

    assert (await one_record(run, shop.client_id))["notes"] == ""


async def test_upload_by_get_is_no_upload(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await admin.get(PATH, params={"action": "uploadImage", "SerialNumber": "C-1"})

    assert answer.status_code == 405
    assert await nothing_kept(run, shop.client_id)
