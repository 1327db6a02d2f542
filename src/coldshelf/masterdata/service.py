"""What other rooms ask of master data."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata import store
from coldshelf.masterdata.errors import ReferencePictureInvalid
from coldshelf.masterdata.models import PlanogramUse
from coldshelf.masterdata.rules import default_time_zone

UNKNOWN_SKU = "-1000"
"""SKU and name of an unknown product on the wire (contract 4.1)."""
EMPTY_SKU = "EMPTY"


@dataclass(frozen=True, slots=True)
class OutletPlace:
    """Where an outlet stands in the sales organisation."""

    channel_id: int | None = None
    market_ids: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Asset:
    """A cooler as an upload needs to know it."""

    id: int
    serial_number: str
    is_active: bool
    location_id: int | None
    planogram_id: int | None
    planogram_name: str | None
    doors: int | None
    columns: int | None
    shelves: int | None
    items_per_column: int | None


@dataclass(frozen=True, slots=True)
class Outlet:
    """An outlet as an upload needs to know it."""

    id: int
    code: str
    name: str
    city: str | None
    state: str | None
    country: str | None
    time_zone: str | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the catalogue with the object keys of its reference pictures."""

    id: int
    sku: str
    name: str
    short_name: str
    is_foreign: bool
    is_empty: bool
    is_unknown: bool
    object_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a planogram; shelves count from the top, positions from the left, both from 1."""

    shelf: int
    position: int
    product_id: int
    stack_size: int
    short_name: str


async def asset_by_serial(connection: Connection, serial_number: str) -> Asset | None:
    row = await store.asset_by_serial(connection, serial_number)
    return None if row is None else Asset(**row)


async def asset_by_id(connection: Connection, asset_id: int) -> Asset | None:
    row = await store.asset_by_id(connection, asset_id)
    return None if row is None else Asset(**row)


async def asset_by_imei(connection: Connection, imei: str) -> Asset | None:
    """Find the asset through the device mapping."""
    asset_id = await store.asset_of_imei(connection, imei)
    return None if asset_id is None else await asset_by_id(connection, asset_id)


async def asset_by_device(connection: Connection, smart_device_id: int) -> Asset | None:
    asset_id = await store.asset_of_device(connection, smart_device_id)
    return None if asset_id is None else await asset_by_id(connection, asset_id)


async def active_assets(connection: Connection, location_id: int) -> list[Asset]:
    """Give the active assets of an outlet, at most two: enough to tell none, one and several apart."""
    return [Asset(**row) for row in await store.assets_of_outlet(connection, location_id)]


async def outlet_by_code(connection: Connection, code: str) -> Outlet | None:
    row = await store.outlet_by_code(connection, code)
    return None if row is None else Outlet(**row)


async def outlet_by_id(connection: Connection, location_id: int) -> Outlet | None:
    row = await store.outlet_by_id(connection, location_id)
    return None if row is None else Outlet(**row)


async def outlet_place(connection: Connection, location_id: int) -> OutletPlace:
    """Give the markets that an outlet lies in, those above its own included, and its channel."""
    return OutletPlace(**await store.outlet_place(connection, location_id))


async def load_catalogue(connection: Connection) -> list[Product]:
    """Give the active products, the pseudo-products Unknown and Empty among them."""
    return [Product(**{**row, "object_keys": tuple(row["object_keys"])}) for row in await store.catalogue(connection)]


async def planned_places(connection: Connection, planogram_id: int) -> list[Place]:
    return [Place(**row) for row in await store.planned_places(connection, planogram_id)]


async def layout_places(connection: Connection, planogram_id: int) -> list[Place]:
    """Give the places that say which product stands where; none of a planogram for categories or priorities."""
    if await planogram_use(connection, planogram_id) is not PlanogramUse.LAYOUT:
        return []
    return await planned_places(connection, planogram_id)


async def first_images(connection: Connection, product_ids: Collection[int]) -> dict[int, str]:
    """Give the object key of one reference picture for each product that has one."""
    return await store.first_images(connection, product_ids)


async def use_planogram(connection: Connection, planogram_id: int) -> None:
    """Freeze a planogram: from its first use for a picture it does not change."""
    await store.freeze_planogram(connection, planogram_id)


async def planogram_stamp(connection: Connection, planogram_id: int) -> tuple[int | None, datetime | None]:
    """Give the version number that a planogram carries, and when it was last changed."""
    return await store.planogram_stamp(connection, planogram_id)


async def planogram_use(connection: Connection, planogram_id: int) -> PlanogramUse:
    """Say what a planogram is held against pictures for."""
    return PlanogramUse(await store.planogram_use(connection, planogram_id) or PlanogramUse.LAYOUT)


async def product_names(connection: Connection, product_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Give the SKU and the name of each product, of deleted ones too."""
    return await store.product_names(connection, product_ids)


async def product_categories(connection: Connection, product_ids: Collection[int]) -> dict[int, str]:
    """Give the category of each product that has one."""
    return await store.product_categories(connection, product_ids)


async def beverage_types(connection: Connection, product_ids: Collection[int]) -> dict[int, str]:
    """Give the type of beverage of each product that has one."""
    return await store.beverage_types(connection, product_ids)


async def planogram_name(connection: Connection, planogram_id: int) -> str | None:
    return await store.planogram_name(connection, planogram_id)


async def prepare_client(run: Runtime, client_id: ClientId) -> None:
    """Give a new client the rows that it needs: the pseudo-products Unknown and Empty, its time zone."""
    async with run.database.scope(client_id, user_name="coldshelf") as connection:
        await default_time_zone(connection)
        await store.add_pseudo_product(connection, "Unknown", UNKNOWN_SKU, is_empty=False)
        await store.add_pseudo_product(connection, "Empty", EMPTY_SKU, is_empty=True)


async def find_product(connection: Connection, product_id: int | None, sku: str) -> int:
    """Find an active product by id, else by SKU; raise ReferencePictureInvalid when there is none."""
    found = None
    if product_id is not None:
        found = product_id if await store.existing_products(connection, [product_id]) else None
    elif sku:
        found = await store.product_id_by_sku(connection, sku)
    if found is None:
        raise ReferencePictureInvalid(f"There is no product {product_id or sku!r}; send ProductId or ProductSKU")
    return found


async def add_reference_picture(
    connection: Connection, product_id: int, object_key: str, *, sha256: bytes, size: tuple[int, int]
) -> int | None:
    """Record a reference picture that is in the object store; None when the product has these bytes already.

    `size` is (width, height) in pixels.
    """
    return await store.add_image(connection, product_id, object_key, sha256=sha256, width=size[0], height=size[1])


async def remove_reference_picture(connection: Connection, image_id: int) -> None:
    """Delete a reference picture; raise ReferencePictureInvalid when there is none."""
    if await store.retire_image(connection, image_id) is None:
        raise ReferencePictureInvalid(f"There is no ProductImage with id {image_id}")
