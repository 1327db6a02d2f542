"""What other rooms ask of master data."""

from dataclasses import dataclass

import httpx
import pytest

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata import service
from coldshelf.masterdata.errors import ReferencePictureInvalid
from tests.records.support import Handler


@dataclass(frozen=True)
class Shop:
    """An outlet with two active coolers and an inactive one; a camera sits in the first."""

    location: int
    coolers: tuple[int, int, int]
    camera: int


@pytest.fixture
async def shop(admin: httpx.AsyncClient) -> Shop:
    location = await Handler(admin, "Location").save(Code="Straße-1", Name="Kiosk", TimeZone="Asia/Bangkok")
    await Handler(admin, "AssetType").save(Name="T", Doors=2, Columns=6, Shelves=5)
    await Handler(admin, "Planogram").save(PlanogramName="Summer")
    coolers = [
        (
            await Handler(admin, "Asset").save(
                SerialNumber=f"SN-{n}", AssetType="T", LocationCode="Straße-1", IsActive=n < 3, PlanogramName="Summer"
            )
        )["id"]
        for n in (1, 2, 3)
    ]
    camera = await Handler(admin, "SmartDevice").save(SerialNumber="CAM", IMEI="84732abc", AssetSerialNumber="SN-1")
    return Shop(location["id"], (coolers[0], coolers[1], coolers[2]), camera["id"])


async def test_a_cooler_is_found_by_serial_number_id_imei_and_device(
    run: Runtime, client_id: ClientId, shop: Shop
) -> None:
    async with run.database.scope(client_id, readonly=True) as connection:
        by_serial = await service.asset_by_serial(connection, "sn-1")
        others = [
            await service.asset_by_id(connection, shop.coolers[0]),
            await service.asset_by_imei(connection, "84732ABC"),
            await service.asset_by_device(connection, shop.camera),
        ]
        unknown = [
            await service.asset_by_serial(connection, "sn-9"),
            await service.asset_by_imei(connection, "1"),
            await service.asset_by_device(connection, 99),
        ]

    assert by_serial
    assert others == [by_serial] * 3
    assert (by_serial.location_id, by_serial.planogram_name) == (shop.location, "Summer")
    assert (by_serial.doors, by_serial.columns, by_serial.shelves, by_serial.is_active) == (2, 6, 5, True)
    assert unknown == [None, None, None]


async def test_an_outlet_is_found_by_code_in_any_letter_case(run: Runtime, client_id: ClientId, shop: Shop) -> None:
    async with run.database.scope(client_id, readonly=True) as connection:
        by_code = await service.outlet_by_code(connection, "STRAßE-1")
        by_id = await service.outlet_by_id(connection, shop.location)

    assert by_code
    assert by_code == by_id
    assert (by_code.code, by_code.time_zone, by_code.is_active) == ("Straße-1", "Asia/Bangkok", True)


async def test_an_outlet_gives_its_active_coolers_two_at_most(run: Runtime, client_id: ClientId, shop: Shop) -> None:
    async with run.database.scope(client_id, readonly=True) as connection:
        found = await service.active_assets(connection, shop.location)

    assert [asset.id for asset in found] == list(shop.coolers[:2])


async def test_inactive_and_deleted_devices_find_no_cooler(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient, shop: Shop
) -> None:
    await Handler(admin, "SmartDevice").save(id=shop.camera, IsActive="No")

    async with run.database.scope(client_id, readonly=True) as connection:
        assert await service.asset_by_imei(connection, "84732abc") is None
        assert await service.asset_by_device(connection, shop.camera) is None


async def test_the_catalogue_holds_active_products_with_their_pictures(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    product = await Handler(admin, "Product").save(Name="Fizz", SKU="FZ", ShortName="F")
    await Handler(admin, "Product").save(Name="Old", SKU="OLD", ShortName="O", IsActive=False)
    async with run.database.scope(client_id) as connection:
        first = await service.add_reference_picture(connection, product["id"], "a.jpg", sha256=b"a", size=(10, 20))
        again = await service.add_reference_picture(connection, product["id"], "b.jpg", sha256=b"a", size=(10, 20))
        second = await service.add_reference_picture(connection, product["id"], "c.jpg", sha256=b"c", size=(10, 20))
        assert second
        await service.remove_reference_picture(connection, second)

        found = await service.load_catalogue(connection)
        images = await service.first_images(connection, [product["id"]])

    assert first
    assert again is None
    assert [(item.sku, item.is_unknown, item.is_empty, item.object_keys) for item in found] == [
        ("-1000", True, False, ()),
        ("EMPTY", False, True, ()),
        ("FZ", False, False, ("a.jpg",)),
    ]
    assert images == {product["id"]: "a.jpg"}


async def test_a_product_is_found_by_id_or_stock_keeping_unit(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    product = await Handler(admin, "Product").save(Name="Fizz", SKU="FZ", ShortName="F")
    async with run.database.scope(client_id) as connection:
        assert await service.find_product(connection, product["id"], "") == product["id"]
        assert await service.find_product(connection, None, "fz") == product["id"]
        with pytest.raises(ReferencePictureInvalid, match="There is no product 99; send ProductId or ProductSKU"):
            await service.find_product(connection, 99, "fz")
        with pytest.raises(ReferencePictureInvalid, match="There is no ProductImage with id 99"):
            await service.remove_reference_picture(connection, 99)
