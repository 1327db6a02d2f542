"""Which cooler and which outlet an upload belongs to: the identifier combinations of contract 2.1."""

from dataclasses import dataclass

from coldshelf.access.principal import Principal
from coldshelf.kit.db import Connection
from coldshelf.masterdata import service as masterdata
from coldshelf.masterdata.service import Asset, Outlet
from coldshelf.pictures.errors import AssetInactive, AssetNotFound, OutletMismatch, OutletNotFound
from coldshelf.pictures.models import Placement
from coldshelf.pictures.request import UploadRequest
from coldshelf.records.selecting import sees_outlet


@dataclass(frozen=True, slots=True)
class Target:
    """The cooler and outlet that were found; `notes` say what was overruled."""

    asset: Asset | None
    outlet: Outlet | None
    notes: tuple[str, ...] = ()

    @property
    def placement(self) -> Placement:
        asset, outlet = self.asset, self.outlet
        return Placement(
            asset_id=asset.id if asset else None,
            serial_number=asset.serial_number if asset else None,
            door_count=asset.doors if asset else None,
            columns=asset.columns if asset else None,
            shelves=asset.shelves if asset else None,
            items_per_column=asset.items_per_column if asset else None,
            planogram_id=asset.planogram_id if asset and asset.planogram_name is not None else None,
            planogram_name=asset.planogram_name if asset else None,
            location_id=outlet.id if outlet else None,
            location_code=outlet.code if outlet else None,
            location_name=outlet.name if outlet else None,
            city=outlet.city if outlet else None,
            state=outlet.state if outlet else None,
            country=outlet.country if outlet else None,
        )


async def find_target(connection: Connection, principal: Principal, wanted: UploadRequest) -> Target:
    """Resolve the identifiers; raise the contract's error when they lead nowhere or contradict each other."""
    target = await _find(Sight(connection, principal), wanted)
    if principal.smart_device_id is not None:
        own = await masterdata.asset_by_device(connection, principal.smart_device_id)
        if own is None or target.asset is None or own.id != target.asset.id:
            raise AssetNotFound(wanted.serial_number or wanted.imei or wanted.store_number)
    if target.asset is not None and not target.asset.is_active:
        raise AssetInactive(target.asset.serial_number)
    return target


@dataclass(frozen=True, slots=True)
class Sight:
    """What the sender may find: to one who is limited to outlets, a cooler or outlet beyond them is an unknown one."""

    connection: Connection
    principal: Principal

    async def asset(self, found: Asset | None) -> Asset | None:
        is_seen = found and await sees_outlet(self.connection, self.principal, found.location_id)
        return found if is_seen else None

    async def outlet(self, found: Outlet | None) -> Outlet | None:
        return found if found and await sees_outlet(self.connection, self.principal, found.id) else None


async def _find(sight: Sight, wanted: UploadRequest) -> Target:
    if wanted.serial_number:
        return await _by_serial(sight, wanted)
    if wanted.imei:
        asset = await sight.asset(await masterdata.asset_by_imei(sight.connection, wanted.imei))
        if asset is not None:
            return Target(asset, await _checked_outlet(sight.connection, asset, wanted.store_number))
        if not wanted.store_number:
            raise AssetNotFound(wanted.imei)
        found = await _by_store(sight, wanted)
        return Target(found.asset, found.outlet, (f"IMEI {wanted.imei} is mapped to no asset; found by the store",))
    return await _by_store(sight, wanted)


async def _by_serial(sight: Sight, wanted: UploadRequest) -> Target:
    asset = await sight.asset(await masterdata.asset_by_serial(sight.connection, wanted.serial_number))
    if asset is None:
        raise AssetNotFound(wanted.serial_number)
    outlet = await _checked_outlet(sight.connection, asset, wanted.store_number)
    notes: tuple[str, ...] = ()
    if wanted.imei:
        other = await sight.asset(await masterdata.asset_by_imei(sight.connection, wanted.imei))
        if other is not None and other.id != asset.id:
            notes = (f"IMEI {wanted.imei} belongs to asset {other.serial_number}; the serial number was used",)
    return Target(asset, outlet, notes)


async def _checked_outlet(connection: Connection, asset: Asset, store_number: str) -> Outlet | None:
    outlet = None if asset.location_id is None else await masterdata.outlet_by_id(connection, asset.location_id)
    if not store_number:
        return outlet
    if outlet is None:
        raise OutletNotFound(store_number)
    if outlet.code.lower() != store_number.lower():
        raise OutletMismatch(outlet.code, store_number)
    return outlet


async def _by_store(sight: Sight, wanted: UploadRequest) -> Target:
    outlet = await sight.outlet(await masterdata.outlet_by_code(sight.connection, wanted.store_number))
    if outlet is None:
        raise OutletNotFound(wanted.store_number)
    assets = await masterdata.active_assets(sight.connection, outlet.id)
    if not assets and wanted.needs_asset:
        raise OutletNotFound(wanted.store_number)
    return Target(assets[0] if len(assets) == 1 else None, outlet)
