"""`recognise`: what stands in pictures, without a server."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from coldshelf.entrypoints.cli.compared import azure_document, compliance_document
from coldshelf.entrypoints.cli.progress import followed
from coldshelf.entrypoints.evaluation.outputs import beside, write_file
from coldshelf.kit.errors import InputInvalid
from coldshelf.masterdata.service import EMPTY_SKU, UNKNOWN_SKU, Product
from coldshelf.pictures.imaging.encode import encode_jpeg
from coldshelf.recognition.formats.coco import Categories, SeenPicture, dataset, results
from coldshelf.recognition.formats.plans import read_plan
from coldshelf.recognition.formats.references import list_references, load_catalogue, read_pixels
from coldshelf.recognition.models import Row
from coldshelf.recognition.product_rows import rows_of
from coldshelf.recognition.recogniser import CatalogueProduct, Detections, Pixels
from coldshelf.recognition.recognisers import by_name
from coldshelf.recognition.service import draw
from coldshelf.recognition.wire import recognition_json

DEFAULT_RECOGNISER = "neural"
Json = dict[str, Any]  # a JSON document


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(recognise)


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture and what was seen in it."""

    path: Path
    image: Pixels
    detections: Detections


def recognise(
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="Pictures of coolers.")],
    references: Annotated[Path, typer.Option(help="Folder with one folder of pictures, or one picture, for each SKU.")],
    planogram: Annotated[Path | None, typer.Option(help="JSON: list of shelves, each a list of SKUs.")] = None,
    annotate: Annotated[
        Path | None, typer.Option(help="Annotated picture (JPEG); a folder of them for several pictures.")
    ] = None,
    coco: Annotated[Path | None, typer.Option(help="COCO file; beside it NAME_results.json for COCO's tools.")] = None,
    compliance: Annotated[
        Path | None, typer.Option(help="JSON file: how each picture holds against the planogram.")
    ] = None,
    azure: Annotated[
        Path | None, typer.Option(help="The same in the shape of Azure AI Vision's planogram matching.")
    ] = None,
    recogniser: Annotated[
        str, typer.Option(help="neural, colour, or neural:FOLDER for own models.")
    ] = DEFAULT_RECOGNISER,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the recognition JSON; for several pictures a list of them.")
    ] = False,
) -> None:
    """Recognise pictures: no server, no database."""
    if planogram is None and (compliance or azure):
        raise InputInvalid("--compliance and --azure compare with a planogram", cure="Name one by --planogram.")
    chosen = by_name(recogniser)
    catalogue = load_catalogue(list_references(references))
    plan = None if planogram is None else read_plan(planogram, catalogue)
    seen = []
    for path in followed(pictures, "Recognising"):
        image = read_pixels(path)
        seen.append(Seen(path, image, chosen.recognise(image, catalogue, plan)))
    if annotate is not None:
        _write_annotated(annotate, seen, catalogue)
    if coco is not None:
        _write_coco(coco, seen, catalogue)
    for out, compared in ((compliance, compliance_document), (azure, azure_document)):
        if out is not None and plan is not None:
            _write_documents(out, [compared(_rows(each, catalogue), plan, catalogue) for each in seen])
    if as_json:
        typer.echo(_one_or_all([_document(each, catalogue) for each in seen]))
    else:
        for each in seen:
            _print(each, catalogue, with_name=len(seen) > 1)


def products_of(catalogue: Sequence[CatalogueProduct]) -> list[Product]:
    """Give the catalogue as master data, with the pseudo-products Unknown and Empty."""
    named = [(item.product_id, item.sku, item.is_foreign, False, False) for item in catalogue]
    pseudo = [(-1, UNKNOWN_SKU, False, False, True), (-2, EMPTY_SKU, False, True, False)]
    return [
        Product(number, sku, sku, sku, is_foreign, is_empty, is_unknown, ())
        for number, sku, is_foreign, is_empty, is_unknown in (*named, *pseudo)
    ]


def _rows(seen: Seen, catalogue: Sequence[CatalogueProduct]) -> tuple[Row, ...]:
    return rows_of(seen.detections, products_of(catalogue))


def _document(seen: Seen, catalogue: Sequence[CatalogueProduct]) -> Json:
    return recognition_json(_rows(seen, catalogue), [shelf.number for shelf in seen.detections.shelves])


def _one_or_all(documents: Sequence[Json]) -> str:
    return json.dumps(documents[0] if len(documents) == 1 else documents)


def _write_documents(path: Path, documents: Sequence[Json]) -> None:
    write_file(path, _one_or_all(documents).encode())


def _write_annotated(out: Path, seen: Sequence[Seen], catalogue: Sequence[CatalogueProduct]) -> None:
    names = [each.path.stem for each in seen]
    if len(seen) > 1 and len({*names}) < len(names):
        raise InputInvalid("Two pictures have the same name", cure="Annotate them one by one.")
    for each in seen:
        target = out if len(seen) == 1 else out / f"{each.path.stem}.jpg"
        write_file(target, encode_jpeg(draw(each.image, _rows(each, catalogue))))


def _write_coco(path: Path, seen: Sequence[Seen], catalogue: Sequence[CatalogueProduct]) -> None:
    pictures = [SeenPicture(str(each.path), each.image.shape[1], each.image.shape[0], each.detections) for each in seen]
    skus = {product.product_id: product.sku for product in catalogue}
    categories = Categories(skus.values())
    write_file(path, json.dumps(dataset(pictures, skus, categories)).encode())
    write_file(beside(path, "results"), json.dumps(results(pictures, skus, categories)).encode())


def _print(seen: Seen, catalogue: Sequence[CatalogueProduct], *, with_name: bool) -> None:
    names = {product.product_id: product.name for product in catalogue}
    table = Table("Shelf", "Position", "Product", "Confidence", title=str(seen.path) if with_name else None)
    for facing in sorted(seen.detections.facings, key=lambda item: (item.shelf, item.position, item.stack_index)):
        name = "unknown" if facing.product_id is None else names[facing.product_id]
        place = f"{facing.position}" + (f" +{facing.stack_index}" if facing.stack_index else "")
        table.add_row(str(facing.shelf), place, name, f"{facing.confidence:.0%}")
    Console().print(table)
    found = seen.detections
    typer.echo(f"{len(found.shelves)} shelves, {len(found.facings)} facings, {len(found.gaps)} gaps")
