"""Finds the picture behind a GUID (contract 3): no login, so nothing but the picture comes back."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import NotFound
from coldshelf.kit.ids import ClientId
from coldshelf.kit.objects import ObjectStore
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata import service as masterdata
from coldshelf.masterdata.service import Place
from coldshelf.pictures import store
from coldshelf.pictures.imaging.decode import decode
from coldshelf.pictures.imaging.encode import encode_jpeg, shrink_jpeg
from coldshelf.pictures.models import Kind, Outcome, Picture, Rendition, Status
from coldshelf.pictures.outcomes import NO_PLANOGRAM
from coldshelf.pictures.rendering import PlannedProduct, render_planogram
from coldshelf.pictures.scenes import is_analysed

CAMERAS = tuple(f"cam{number}" for number in range(1, 21))
SERVED = (Kind.STITCHED, Kind.ANNOTATED, *CAMERAS)
PLANOGRAM_WIDTH = 1024
PLANOGRAM, IN_STORE = "planogram", "instore"
LONGEST_SIDE = 1024
"""Pixels of a picture in a message."""
STORE_SCENE = "StoreView"


class PreviewNotFound(NotFound):
    """There is no such picture"""

    code = "preview_not_found"


class PreviewNotReady(NotFound):
    """The picture is not ready yet"""

    code = "preview_not_ready"
    retry = True
    retry_after = timedelta(seconds=2)


class Preview(Protocol):
    """A picture that can be served: `tag` names its content for caches, `render` gives the JPEG. Blocking."""

    def tag(self, max_width: int | None) -> str: ...
    def render(self, max_width: int | None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class RenditionPreview:
    """A rendition: its object never changes under its key."""

    objects: ObjectStore
    key: str
    width: int
    height: int

    def tag(self, max_width: int | None) -> str:
        return _digest(self.key.encode(), max_width)

    def render(self, max_width: int | None) -> bytes:
        return _sized(self.objects.get(self.key), max_width)


@dataclass(frozen=True, slots=True)
class PlanogramPreview:
    """A planogram, drawn with one reference picture a product where there is one."""

    objects: ObjectStore
    title: str
    places: tuple[Place, ...]
    images: dict[int, str]

    def tag(self, max_width: int | None) -> str:
        return _digest(repr((self.title, self.places, sorted(self.images.items()))).encode(), max_width)

    def render(self, max_width: int | None) -> bytes:
        pixels = {product_id: decode(self.objects.get(key)) for product_id, key in self.images.items()}
        shelves = range(1, max((place.shelf for place in self.places), default=0) + 1)
        rows: tuple[tuple[PlannedProduct, ...], ...] = tuple(
            tuple(
                PlannedProduct(place.short_name, picture=pixels.get(place.product_id), stack=place.stack_size)
                for place in self.places
                if place.shelf == shelf
            )
            for shelf in shelves
        )
        return _sized(encode_jpeg(render_planogram(rows, width=PLANOGRAM_WIDTH, title=self.title)), max_width)


async def find_preview(run: Runtime, guid: UUID, image_type: str) -> Preview:
    """Find what a GUID and an `imageType` (any letter case) name; raise PreviewNotFound or PreviewNotReady."""
    found = await store.picture_at_door(run.database, guid)
    if found is None:
        raise PreviewNotFound
    client_id, picture_id = found
    async with run.database.scope(client_id, readonly=True) as connection:
        picture = await store.load_picture(connection, picture_id)
        if picture is None:
            raise PreviewNotFound
        wanted = image_type.lower()
        if wanted == PLANOGRAM:
            return await _planogram(run.objects, connection, picture)
        if wanted == IN_STORE:
            return await _in_store(run.objects, connection, picture)
        return await _rendition(run.objects, connection, picture, wanted)


async def best_rendition(objects: ObjectStore, connection: Connection, picture: Picture) -> RenditionPreview:
    """Find the annotated picture, or without one the stitched; raise PreviewNotFound or PreviewNotReady."""
    try:
        return await _rendition(objects, connection, picture, Kind.ANNOTATED)
    except (PreviewNotFound, PreviewNotReady):
        return await _rendition(objects, connection, picture, Kind.STITCHED)


async def picture_of_record(run: Runtime, client_id: ClientId, record: Mapping[str, Any]) -> bytes | None:
    """Give the best rendition of a listed picture, small enough for a message; None: there is none yet.

    Whoever does not see its GUID gets none.
    """
    if not record.get("UniqueGuid") or not record.get("AssetPurityId"):
        return None
    async with run.database.scope(client_id, readonly=True) as connection:
        picture = await store.load_picture(connection, int(record["AssetPurityId"]))
        if picture is None:
            return None
        try:
            found = await best_rendition(run.objects, connection, picture)
        except (PreviewNotFound, PreviewNotReady):
            return None
    longest = max(found.width, found.height)
    return await run.off_loop(found.render, found.width * LONGEST_SIDE // longest if longest > LONGEST_SIDE else None)


async def _rendition(objects: ObjectStore, connection: Connection, picture: Picture, kind: str) -> RenditionPreview:
    if kind not in SERVED:
        raise PreviewNotFound
    rendition = await store.newest_rendition(connection, picture.id, kind)
    if rendition is not None and picture.prepared_on is not None:
        return _preview_of(objects, rendition)
    raise PreviewNotReady if _comes(picture, kind) else PreviewNotFound


def _preview_of(objects: ObjectStore, rendition: Rendition) -> RenditionPreview:
    return RenditionPreview(objects, rendition.object_key, rendition.width, rendition.height)


def _comes(picture: Picture, kind: str) -> bool:
    """Say whether a rendition that is not there is still being made, or waits for a reviewer."""
    if kind == Kind.ANNOTATED:
        return is_analysed(picture.scene_type) and picture.status_id not in {Status.REJECTED, Status.PROCESSED}
    is_empty_or_broken = picture.submission_outcome == Outcome.REJECTED and picture.rejection_reason != NO_PLANOGRAM
    return picture.prepared_on is None and not is_empty_or_broken


async def _in_store(objects: ObjectStore, connection: Connection, picture: Picture) -> Preview:
    """Give the newest picture of the outside of the picture's outlet."""
    if picture.location_id is None:
        raise PreviewNotFound
    newest = await store.newest_of_scene(connection, picture.location_id, STORE_SCENE)
    rendition = None if newest is None else await store.newest_rendition(connection, newest, Kind.STITCHED)
    if rendition is None:
        raise PreviewNotFound
    return _preview_of(objects, rendition)


async def _planogram(objects: ObjectStore, connection: Connection, picture: Picture) -> Preview:
    if picture.planogram_id is None:
        raise PreviewNotFound
    places: Sequence[Place] = await masterdata.planned_places(connection, picture.planogram_id)
    images = await masterdata.first_images(connection, {place.product_id for place in places})
    title = await masterdata.planogram_name(connection, picture.planogram_id) or ""
    return PlanogramPreview(objects, title, tuple(places), images)


def _sized(jpeg: bytes, max_width: int | None) -> bytes:
    return jpeg if max_width is None else shrink_jpeg(jpeg, max_width)


def _digest(content: bytes, max_width: int | None) -> str:
    return hashlib.sha256(content + f" {max_width}".encode()).hexdigest()[:32]
