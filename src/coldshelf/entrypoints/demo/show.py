"""Runs the demo: set-up, uploads, results, files, `demo.json`."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from coldshelf.entrypoints.demo.door import Door, Record
from coldshelf.entrypoints.demo.world import BELONGS, NAMED, DemoCooler, DemoProduct, Rows, World
from coldshelf.kit.errors import Unavailable

STALLED = timedelta(minutes=5)
"""The demo gives up when no picture was finished for so long."""
ENDED = frozenset({-1, 0, 13})
COLUMNS = {
    "Cooler": "SerialNumber",
    "Outlet": "Location",
    "Status": "ImageStatus",
    "Facings": "TotalFacings",
    "Empty": "EmptyFacings",
    "Own %": "OwnShareOfShelf",
    "Foreign %": "ForeignShareOfShelf",
    "OOS %": "OOSPercentage",
    "Compliance %": "PlanogramCompliance",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An uploaded picture of the demo."""

    cooler: DemoCooler
    guid: str
    picture_id: int


class Show:
    """One run of the demo against a served installation."""

    def __init__(self, door: Door, world: World, console: Console) -> None:
        self._door = door
        self._world = world
        self._console = console

    def progress(self) -> Progress:
        columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self._console)

    def set_up(self) -> None:
        """Save products, outlets, planograms and coolers through the handlers; a second run changes nothing."""
        world = self._world
        with self.progress() as progress:
            task = progress.add_task("Products and reference pictures", total=len(world.products))
            ids = {}
            for product in world.products:
                ids[product.sku] = self._save_product(product)
                progress.advance(task)
            task = progress.add_task("Outlets, planograms and coolers", total=len(world.coolers))
            for entity, names in NAMED.items():
                for name in names:
                    self._door.save(entity, {"Name": name})
            self._door.save("AssetType", {"Name": "Demo 1-door", "Doors": 1, "Shelves": 5, "Columns": 10})
            plans: dict[Rows, str] = {}
            for cooler in world.coolers:
                self._save_cooler(cooler, ids, plans)
                progress.advance(task)

    def _save_product(self, product: DemoProduct) -> int:
        self._door.save("Manufacturer", {"Name": product.manufacturer, "IsForeign": product.is_foreign})
        self._door.save("Brand", {"Name": product.brand, "Manufacturer": product.manufacturer})
        if product.packaging:
            self._door.save("PackagingType", {"Name": product.packaging})
        values = {"SKU": product.sku, "Name": product.name, "ShortName": product.name[:40], "BrandName": product.brand}
        product_id = self._door.save("Product", {**values, "PackagingType": product.packaging})
        self._door.add_reference_pictures(product.sku, product.pictures())
        return product_id

    def _save_cooler(self, cooler: DemoCooler, ids: dict[str, int], plans: dict[Rows, str]) -> None:
        self._door.save(
            "Location",
            {
                "Code": cooler.store_number,
                "Name": cooler.store_name,
                "Street": "Main Street 1",
                "City": cooler.city,
                "StateName": "Illinois",
                "CountryName": "United States",
                "DistributorName": NAMED["Distributor"][0],
                **BELONGS[cooler.store_number],
            },
        )
        values: dict[str, object] = {
            "SerialNumber": cooler.serial_number,
            "AssetType": "Demo 1-door",
            "LocationCode": cooler.store_number,
        }
        if cooler.plan:
            if cooler.plan not in plans:
                plans[cooler.plan] = self._save_plan(cooler.plan, ids, f"{self._world.title} plan {len(plans) + 1}")
            values["PlanogramName"] = plans[cooler.plan]
        self._door.save("Asset", values)
        device = {"SerialNumber": f"CAM-{cooler.serial_number}", "IMEI": cooler.imei}
        self._door.save("SmartDevice", {**device, "AssetSerialNumber": cooler.serial_number})

    def _save_plan(self, plan: Rows, ids: dict[str, int], name: str) -> str:
        details = [{"products": [{"id": ids[sku]} for sku in row if sku]} for row in plan]
        self._door.save("Planogram", {"PlanogramName": name, "FacingDetails": json.dumps(details)})
        return name

    def upload(self) -> list[Shown]:
        """Upload every picture through the HTTP door."""
        shown = []
        with self.progress() as progress:
            task = progress.add_task("Uploading pictures", total=len(self._world.coolers))
            for cooler in self._world.coolers:
                guid, picture_id = self._door.upload(cooler.serial_number, cooler.file_name, cooler.picture())
                shown.append(Shown(cooler, guid, picture_id))
                progress.advance(task)
        return shown

    def await_results(self, shown: Sequence[Shown]) -> dict[int, Record]:
        """Wait until every picture has its end; give the records by id. Raises Unavailable when nothing moves."""
        wanted = {item.picture_id for item in shown}
        last_change = time.monotonic()
        done: dict[int, Record] = {}
        with self.progress() as progress:
            task = progress.add_task("Recognising", total=len(wanted))
            while len(done) < len(wanted):
                found = {r["AssetPurityId"]: r for r in self._records(sorted(wanted)) if r["StatusId"] in ENDED}
                if len(found) > len(done):
                    last_change = time.monotonic()
                done = found
                progress.update(task, completed=len(done))
                if time.monotonic() - last_change > STALLED.total_seconds():
                    raise Unavailable(f"{len(wanted) - len(done)} pictures are not processed", cure="See the log.")
                time.sleep(0.3)
        return done

    def _records(self, ids: Sequence[int]) -> list[Record]:
        chunks = [ids[start : start + 500] for start in range(0, len(ids), 500)]
        return [
            record
            for chunk in chunks
            for record in self._door.records("AssetPurity", {"AssetPurityId": {"operator": "IN", "value": list(chunk)}})
        ]

    def save_annotated(self, shown: Sequence[Shown], folder: Path) -> int:
        """Fetch the annotated pictures into a folder; give how many there are."""
        folder.mkdir(parents=True, exist_ok=True)
        count = 0
        for item in shown:
            jpeg = self._door.preview(item.guid, "Annotated")
            if jpeg:
                (folder / f"{Path(item.cooler.file_name).stem}.jpg").write_bytes(jpeg)
                count += 1
        return count

    def print_results(self, shown: Sequence[Shown], records: dict[int, Record], most: int = 20) -> None:
        title = f"Results of {len(shown)} {self._world.title}"
        table = Table(title=f"{title}, the first {most}" if len(shown) > most else title)
        for name in COLUMNS:
            table.add_column(name, justify="left" if name in {"Cooler", "Outlet", "Status"} else "right")
        for item in shown[:most]:
            table.add_row(*_cells(records[item.picture_id]))
        self._console.print(table)


def _cells(record: Record) -> list[str]:
    return ["-" if record.get(name) is None else str(record[name]) for name in COLUMNS.values()]
