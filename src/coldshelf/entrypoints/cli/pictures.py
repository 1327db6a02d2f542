"""`upload` and `recognise`: pictures from the command line."""

import json
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from coldshelf.kit.errors import InputInvalid
from coldshelf.masterdata.service import EMPTY_SKU, UNKNOWN_SKU, Product
from coldshelf.pictures.imaging.decode import decode
from coldshelf.pictures.imaging.encode import encode_jpeg
from coldshelf.recognition.recogniser import CatalogueProduct, Detections, PlannedFacing, ProductId
from coldshelf.recognition.recognisers import by_name
from coldshelf.recognition.service import draw, rows_of
from coldshelf.recognition.wire import recognition_json

DEFAULT_RECOGNISER = "neural"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic"}


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(upload)
    app.command()(recognise)


def upload(
    files: Annotated[list[Path], typer.Argument(help="Pictures of one cooler.", exists=True, dir_okay=False)],
    serial: Annotated[str, typer.Option(help="Serial number of the cooler.")] = "",
    store: Annotated[str, typer.Option(help="Code of the outlet.")] = "",
    imei: Annotated[str, typer.Option(help="IMEI of the device.")] = "",
    url: Annotated[str, typer.Option(envvar="COLDSHELF_URL", help="Address of the API.")] = "http://127.0.0.1:8000",
    user: Annotated[str, typer.Option(envvar="COLDSHELF_USER", help="User name.")] = "",
    password: Annotated[str, typer.Option(envvar="COLDSHELF_PASSWORD", help="Password or API token.")] = "",
    stitch: Annotated[bool, typer.Option(help="Make one picture of several files.")] = True,
    scene: Annotated[str, typer.Option(help="Scene type.")] = "ProductAnalysis",
) -> None:
    """Upload pictures through the HTTP door and print the answer; exit code 1 when one was refused."""
    fields = {"SerialNumber": serial, "StoreNumber": store, "IMEI": imei, "SceneType": scene}
    fields["IsStitchImage"] = str(stitch).lower()
    parts = [("file", (path.name, path.read_bytes())) for path in files]
    address = f"{url}/Controllers/CoolRAPI.ashx?action=uploadImage"
    answer = httpx.post(address, data=fields, files=parts, auth=(user, password), timeout=120)
    typer.echo(answer.text)
    results = answer.json() if answer.headers.get("content-type", "").startswith("application/json") else []
    if not isinstance(results, list) or not all(result["Success"] for result in results):
        raise typer.Exit(1)


def recognise(
    picture: Annotated[Path, typer.Argument(help="Picture of a cooler.", exists=True, dir_okay=False)],
    references: Annotated[Path, typer.Option(help="Folder with one folder of pictures for each SKU.", exists=True)],
    planogram: Annotated[Path | None, typer.Option(help="JSON: list of shelves, each a list of SKUs.")] = None,
    annotate: Annotated[Path | None, typer.Option(help="Where to write the annotated picture (JPEG).")] = None,
    recogniser: Annotated[str, typer.Option(help="Recogniser.")] = DEFAULT_RECOGNISER,
    as_json: Annotated[bool, typer.Option("--json", help="Print the recognition JSON.")] = False,
) -> None:
    """Recognise one picture: no server, no database."""
    catalogue = read_catalogue(references)
    image = decode(picture.read_bytes())
    found = by_name(recogniser).recognise(image, catalogue, read_plan(planogram, catalogue) if planogram else None)
    rows = rows_of(found, products_of(catalogue))
    if annotate:
        annotate.write_bytes(encode_jpeg(draw(image, rows)))
    if as_json:
        shelves = [shelf.number for shelf in found.shelves]
        typer.echo(json.dumps(recognition_json(rows, shelves)))
    else:
        _print(found, catalogue)


def read_catalogue(folder: Path) -> list[CatalogueProduct]:
    """Read reference pictures: one folder for each SKU, or one picture for each SKU."""
    entries = sorted(path for path in folder.iterdir() if path.is_dir() or path.suffix.lower() in SUFFIXES)
    products = []
    for number, entry in enumerate(entries, 1):
        files = sorted(entry.iterdir()) if entry.is_dir() else [entry]
        pictures = tuple(decode(file.read_bytes()) for file in files if file.suffix.lower() in SUFFIXES)
        if pictures:
            sku = entry.name if entry.is_dir() else entry.stem
            products.append(CatalogueProduct(ProductId(number), sku, sku, is_foreign=False, references=pictures))
    if not products:
        raise InputInvalid(f"No reference pictures in {folder}", cure="It takes one folder of pictures for each SKU.")
    return products


def products_of(catalogue: list[CatalogueProduct]) -> list[Product]:
    """Give the catalogue as master data, with the pseudo-products Unknown and Empty."""
    named = [(item.product_id, item.sku, item.is_foreign, False, False) for item in catalogue]
    pseudo = [(-1, UNKNOWN_SKU, False, False, True), (-2, EMPTY_SKU, False, True, False)]
    return [
        Product(number, sku, sku, sku, is_foreign, is_empty, is_unknown, ())
        for number, sku, is_foreign, is_empty, is_unknown in (*named, *pseudo)
    ]


def read_plan(path: Path, catalogue: list[CatalogueProduct]) -> list[PlannedFacing]:
    """Read a plan: a list of shelves from the top, each a list of SKUs from the left."""
    ids = {product.sku: product.product_id for product in catalogue}
    rows: Any = json.loads(path.read_text())  # any JSON until it was checked here
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise InputInvalid(f"{path}: takes a list of shelves, each a list of SKUs")
    unknown = [sku for row in rows for sku in row if sku not in ids]
    if unknown:
        raise InputInvalid(f"{path}: {unknown[0]!r} has no reference pictures")
    return [
        PlannedFacing(shelf, position, ids[sku])
        for shelf, row in enumerate(rows, 1)
        for position, sku in enumerate(row, 1)
    ]


def _print(found: Detections, catalogue: list[CatalogueProduct]) -> None:
    names = {product.product_id: product.name for product in catalogue}
    table = Table("Shelf", "Position", "Product", "Confidence")
    for facing in sorted(found.facings, key=lambda item: (item.shelf, item.position)):
        name = "unknown" if facing.product_id is None else names[facing.product_id]
        table.add_row(str(facing.shelf), str(facing.position), name, f"{facing.confidence:.0%}")
    Console().print(table)
    typer.echo(f"{len(found.shelves)} shelves, {len(found.facings)} facings, {len(found.gaps)} gaps")
