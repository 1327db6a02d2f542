"""Recognises prepared pictures and hands out their results."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from coldshelf.kit.db import Connection
from coldshelf.kit.events import Step
from coldshelf.kit.ids import ClientId
from coldshelf.kit.objects import ObjectStore
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata import service as masterdata
from coldshelf.masterdata.service import Place, Product
from coldshelf.pictures.events import picture_event
from coldshelf.pictures.imaging.decode import decode
from coldshelf.pictures.imaging.encode import encode_jpeg
from coldshelf.pictures.models import Kind, Picture, Rendition
from coldshelf.pictures.service import renditions
from coldshelf.recognition import store
from coldshelf.recognition.annotate import Mark, MarkKind, annotate
from coldshelf.recognition.events import RECOGNISED
from coldshelf.recognition.models import Grids, Result, Row
from coldshelf.recognition.packshots import shrunk
from coldshelf.recognition.product_rows import depth_status, purity_status, rows_of
from coldshelf.recognition.recogniser import (
    CatalogueProduct,
    Corners,
    Pixels,
    PlannedFacing,
    ProductId,
    Recogniser,
)
from coldshelf.recognition.recognisers import by_name
from coldshelf.recognition.wire import recognition_json

ANNOTATED_QUALITY = 88
REFERENCE_SIDE = 256
"""Long side at which references are kept: recognisers look at no more, and a packshot may have many megapixels."""
REFERENCES_KEPT = 8192
"""Decoded reference pictures that a worker keeps in memory; one of 64 x 128 pixels takes 25 kB."""


@dataclass(frozen=True, slots=True)
class Job:
    """What recognising one picture takes."""

    client_id: ClientId
    picture: Picture
    image_key: str
    products: tuple[Product, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Recognised:
    """What recognising one picture gave; `recogniser` is its name and version, `shelves` as in Result."""

    recogniser: tuple[str, str]
    rows: tuple[Row, ...]
    shelves: str


async def recognise_picture(step: Step) -> None:
    """Handle `picture.prepared`: add a result version and serve it."""
    run: Runtime = step.run
    recogniser = by_name(run.settings.recogniser)
    job = await load_job(run, step.event.client_id, step.event.key)
    if job is None:
        return
    key = renditions.rendition_key(job.client_id, job.picture, Kind.ANNOTATED, step.event.id)
    found, annotated = await run.off_loop(recognise, run.objects, recogniser, job, key)
    async with step.effect() as connection:
        await serve(step, connection, job.picture, found, annotated)


async def serve(step: Step, connection: Connection, picture: Picture, found: Recognised, annotated: Rendition) -> None:
    """Serve a new result version in place of the one before, and tell the next room."""
    await store.retire(connection, picture.id)
    await store.add_result(
        connection,
        picture,
        event_id=step.event.id,
        recogniser=found.recogniser,
        shelves=found.shelves,
        grids=grids_of(found.rows, picture),
        rows=found.rows,
    )
    await renditions.add_rendition(connection, picture.id, annotated)
    if picture.planogram_id:
        await masterdata.use_planogram(connection, picture.planogram_id)
    await renditions.touch(connection, picture.id)
    await step.bus.publish(connection, picture_event(RECOGNISED, step.event.client_id, picture))


async def served_result(connection: Connection, picture_id: int) -> Result | None:
    """Give the served result of a picture."""
    return await store.served_result(connection, picture_id)


async def served_json(connection: Connection, picture_id: int) -> dict[str, Any] | None:  # a JSON document
    """Give the published recognition JSON of the served result of a picture."""
    result = await store.served_result(connection, picture_id)
    if result is None:
        return None
    return recognition_json(result.rows, [int(shelf["shelf"]) for shelf in orjson.loads(result.shelves)])


async def touch_rows(connection: Connection, result_id: int) -> None:
    """Give the product rows a new modification time: a later room changed its part of them in this transaction."""
    await store.touch_rows(connection, result_id)


async def load_job(run: Runtime, client_id: ClientId, picture_id: int) -> Job | None:
    """Load what recognising a picture takes; None when there is no picture to look at."""
    async with run.database.scope(client_id, readonly=True) as connection:
        picture = await renditions.load_picture(connection, picture_id)
        if picture is None:
            return None
        image = await renditions.newest_rendition(connection, picture_id, Kind.STITCHED)
        if image is None:
            return None
        products = await masterdata.load_catalogue(connection)
        places = await masterdata.layout_places(connection, picture.planogram_id) if picture.planogram_id else []
    return Job(client_id, picture, image.object_key, tuple(products), tuple(places))


def recognise(
    objects: ObjectStore, recogniser: Recogniser, job: Job, annotated_key: str
) -> tuple[Recognised, Rendition]:
    """Look at the picture, name what stands there, draw it. Blocking and heavy."""
    image = decode(objects.get(job.image_key))
    found = look(objects, recogniser, job, image)
    return found, keep_drawn(objects, image, found, annotated_key)


def look(objects: ObjectStore, recogniser: Recogniser, job: Job, image: Pixels) -> Recognised:
    """Name what stands in the picture. Blocking and heavy."""
    found = recogniser.recognise(image, catalogue_of(objects, job.products), planned_of(job.places))
    shelves = orjson.dumps([{"shelf": shelf.number, "corners": shelf.corners} for shelf in found.shelves]).decode()
    rows = rows_of(found, job.products, job.picture.items_per_column)
    return Recognised((recogniser.name, recogniser.version), rows, shelves)


def keep_drawn(objects: ObjectStore, image: Pixels, found: Recognised, key: str) -> Rendition:
    """Draw a result on its picture and keep that under the key. Blocking."""
    drawn = draw(image, found.rows)
    jpeg = encode_jpeg(drawn, quality=ANNOTATED_QUALITY)
    objects.put(key, jpeg)
    return Rendition(Kind.ANNOTATED, " ".join(found.recogniser), key, drawn.shape[1], drawn.shape[0], len(jpeg))


def draw(image: Pixels, rows: Sequence[Row]) -> Pixels:
    """Draw the rows of a result on its picture."""
    marks = [_mark(row) for row in rows if not row.is_empty]
    return annotate(image, marks, [_corners(row) for row in rows if row.is_empty])


def catalogue_of(objects: ObjectStore, products: Sequence[Product]) -> list[CatalogueProduct]:
    """Give the products that can be named: those with reference pictures."""
    return [
        CatalogueProduct(
            ProductId(product.id),
            product.sku,
            product.name,
            product.is_foreign,
            tuple(_reference(objects, key) for key in product.object_keys),
        )
        for product in products
        if product.object_keys
    ]


_references: OrderedDict[str, Pixels] = OrderedDict()


def _reference(objects: ObjectStore, key: str) -> Pixels:
    """Decode a reference picture, or take it from memory: an object never changes under its key."""
    pixels = _references.pop(key, None)
    if pixels is None:
        pixels = shrunk(decode(objects.get(key)), REFERENCE_SIDE)
    _references[key] = pixels
    while len(_references) > REFERENCES_KEPT:
        _references.popitem(last=False)
    return pixels


def grids_of(rows: Sequence[Row], picture: Picture) -> Grids:
    """Write the grids that the image record shows of a result."""
    columns = picture.columns or 0
    return Grids(purity_status(rows, columns), depth_status(rows, columns, picture.items_per_column))


def planned_of(places: Sequence[Place]) -> list[PlannedFacing] | None:
    planned = [PlannedFacing(place.shelf, place.position, ProductId(place.product_id)) for place in places]
    return planned or None


def _mark(row: Row) -> Mark:
    if row.is_unknown:
        return Mark(_corners(row), "?", MarkKind.UNKNOWN, (row.confidence or 0) / 100)
    kind = MarkKind.FOREIGN if row.is_foreign else MarkKind.OWN
    return Mark(_corners(row), row.product_name, kind, (row.confidence or 0) / 100)


def _corners(row: Row) -> Corners:
    first, second, third, fourth = row.corners
    return first, second, third, fourth
