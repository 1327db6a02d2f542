"""Finds the picture behind a GUID (contract 3): no login, so nothing but the picture comes back."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID


from coldshelf.kit.db import Connection
from coldshelf.kit.errors import NotFound
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata import service as masterdata
from coldshelf.masterdata.service import Place
from coldshelf.pictures import store
from coldshelf.pictures.imaging.decode import decode
from coldshelf.pictures.imaging.encode import encode_jpeg, shrink_jpeg
from coldshelf.pictures.models import Kind, Picture
from coldshelf.pictures.rendering import PlannedProduct, render_planogram

SERVED = {"stitched": Kind.STITCHED, "annotated": Kind.ANNOTATED}
CAMERAS = 20
PLANOGRAM_WIDTH = 1024


class PreviewNotFound(NotFound):
    """There is no such picture"""

    code = "preview_not_found"


class PreviewNotReady(NotFound):
    """The picture is not ready yet"""

    code = "preview_not_ready"
    retry = True
    retry_after = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Preview:
    """A JPEG and a name for its content, for caches."""

    jpeg: bytes
    tag: str


async def find_preview(run: Runtime, guid: UUID, image_type: str, max_width: int | None) -> Preview:
    """Give a rendition as JPEG, at most `max_width` pixels wide; raise PreviewNotFound or PreviewNotReady."""
    found = await store.picture_at_door(run.database, guid)
    if found is None:
        raise PreviewNotFound
    client_id, picture_id = found
    async with run.database.scope(client_id, readonly=True) as connection:
        picture = await store.load_picture(connection, picture_id)
        if picture is None:
            raise PreviewNotFound
        if image_type == "planogram":
            return await _planogram(run, connection, picture, max_width)
        key = await _object_key(connection, picture, image_type)
    jpeg = await run.off_loop(_sized, run, key, max_width)
    return Preview(jpeg, f"{key.rsplit('/', 2)[-2]}-{image_type}-{max_width or 0}")


def _sized(run: Runtime, key: str, max_width: int | None) -> bytes:
    jpeg = run.objects.get(key)
    return shrink_jpeg(jpeg, max_width) if max_width else jpeg


async def _object_key(connection: Connection, picture: Picture, image_type: str) -> str:
    picture_id: int = picture.id
    if image_type == "instore":
        wanted = picture.location_id and await store.newest_of_scene(connection, picture.location_id, "StoreView")
        if not wanted:
            raise PreviewNotFound
        picture_id = wanted
    elif picture.prepared_on is None:
        raise PreviewNotFound if picture.rejection_reason else PreviewNotReady
    rendition = await store.newest_rendition(connection, picture_id, _kind(image_type))
    if rendition is None:
        raise PreviewNotReady if image_type == "annotated" and not picture.rejection_reason else PreviewNotFound
    return rendition.object_key


def _kind(image_type: str) -> str:
    if image_type in {f"cam{number}" for number in range(1, CAMERAS + 1)}:
        return image_type
    if image_type == "instore":
        return Kind.STITCHED
    if image_type not in SERVED:
        raise PreviewNotFound
    return SERVED[image_type]


async def _planogram(run: Runtime, connection: Connection, picture: Picture, max_width: int | None) -> Preview:
    if picture.planogram_id is None:
        raise PreviewNotFound
    places = await masterdata.planned_places(connection, picture.planogram_id)
    images = await masterdata.first_images(connection, {place.product_id for place in places})
    title = await masterdata.planogram_name(connection, picture.planogram_id) or ""
    jpeg = await run.off_loop(draw_planogram, run, places, images, title, max_width)
    return Preview(jpeg, f"planogram-{picture.planogram_id}-{max_width or 0}")


def draw_planogram(
    run: Runtime, places: list[Place], images: dict[int, str], title: str, max_width: int | None
) -> bytes:
    """Draw a planogram with one reference picture a product, where there is one. Blocking."""
    pixels = {product_id: decode(run.objects.get(key)) for product_id, key in images.items()}
    rows: list[tuple[PlannedProduct, ...]] = [
        tuple(
            PlannedProduct(place.short_name, picture=pixels.get(place.product_id), stack=place.stack_size)
            for place in places
            if place.shelf == shelf
        )
        for shelf in range(1, max((place.shelf for place in places), default=0) + 1)
    ]
    jpeg = encode_jpeg(render_planogram(tuple(rows), width=PLANOGRAM_WIDTH, title=title))
    return shrink_jpeg(jpeg, max_width) if max_width else jpeg
