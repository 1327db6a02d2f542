"""Products, brands and makers: the foreign rule (contract 5.1), and what passes on from one to the other."""

import httpx

from tests.records.support import Handler

PRODUCT = {"Name": "Fizz Orange", "SKU": "FZ-1", "ShortName": "Orange"}


async def test_a_product_of_a_foreign_makers_brand_is_foreign(admin: httpx.AsyncClient) -> None:
    maker = await Handler(admin, "Manufacturer").save(Name="Rival", IsForeign=True)
    await Handler(admin, "Brand").save(Name="Cola", Manufacturer="Rival")

    saved = await Handler(admin, "Product").save(**PRODUCT, BrandName="cola")

    shown = ("BrandName", "ManufacturerId", "Manufacturer", "IsForeign")
    assert [saved["data"][name] for name in shown] == ["Cola", maker["id"], "Rival", True]


async def test_a_foreign_mark_that_is_sent_wins(admin: httpx.AsyncClient) -> None:
    await Handler(admin, "Manufacturer").save(Name="Rival", IsForeign=True)

    saved = await Handler(admin, "Product").save(**PRODUCT, Manufacturer="Rival", IsForeign=False)

    assert saved["data"]["IsForeign"] is False


async def test_a_brand_without_a_maker_leaves_the_products_maker(admin: httpx.AsyncClient) -> None:
    await Handler(admin, "Manufacturer").save(Name="Acme")
    await Handler(admin, "Brand").save(Name="Cola")
    product = await Handler(admin, "Product").save(**PRODUCT, Manufacturer="Acme")

    saved = await Handler(admin, "Product").save(id=product["id"], BrandName="Cola")

    assert (saved["data"]["BrandName"], saved["data"]["Manufacturer"]) == ("Cola", "Acme")


async def test_a_maker_that_becomes_foreign_makes_its_products_foreign(admin: httpx.AsyncClient) -> None:
    makers, products = Handler(admin, "Manufacturer"), Handler(admin, "Product")
    maker = await makers.save(Name="Acme")
    await makers.save(Name="Other")
    ours = await products.save(**PRODUCT, Manufacturer="Acme")
    other = await products.save(Name="B", SKU="B", ShortName="B", Manufacturer="Other")

    await makers.save(id=maker["id"], IsForeign=True)

    changed = (await products.load(id=ours["id"]))["data"]
    assert changed["IsForeign"] is True
    assert changed["ModifiedOn"] > ours["data"]["ModifiedOn"]
    assert await products.load(id=other["id"]) == other


async def test_a_brand_that_changes_hands_takes_its_products_along(admin: httpx.AsyncClient) -> None:
    makers, brands, products = (Handler(admin, name) for name in ("Manufacturer", "Brand", "Product"))
    await makers.save(Name="Acme")
    rival = await makers.save(Name="Rival", IsForeign=True)
    licensee = await makers.save(Name="Licensee")
    brand = await brands.save(Name="Cola", Manufacturer="Acme")
    product = await products.save(**PRODUCT, BrandName="Cola")
    licensed = await products.save(Name="B", SKU="B", ShortName="B", BrandName="Cola", ManufacturerId=licensee["id"])

    await brands.save(id=brand["id"], Manufacturer="Rival")

    moved = (await products.load(id=product["id"]))["data"]
    assert (moved["ManufacturerId"], moved["Manufacturer"], moved["IsForeign"]) == (rival["id"], "Rival", True)
    assert await products.load(id=licensed["id"]) == licensed


async def test_the_pseudo_products_are_there_and_cannot_be_made_by_saving(admin: httpx.AsyncClient) -> None:
    products = Handler(admin, "Product")

    found = {record["SKU"]: record for record in await products.records()}
    saved = await products.save(**PRODUCT, IsEmpty=True)

    assert {sku: (record["IsEmpty"], record["IsUnknown"]) for sku, record in found.items()} == {
        "-1000": (False, True),
        "EMPTY": (True, False),
    }
    assert saved["data"]["IsEmpty"] is False
    assert saved["warnings"] == ["IsEmpty was ignored: it is only read"]
