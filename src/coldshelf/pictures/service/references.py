"""Takes reference pictures of products in: decoded, stripped of metadata, kept as JPEG."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.ids import ClientId, new_guid
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata import service as masterdata
from coldshelf.pictures.imaging.decode import decode
from coldshelf.pictures.imaging.encode import encode_jpeg, shrink
from coldshelf.pictures.models import ReceivedFile

LARGEST_SIDE = 1024
QUALITY = 95


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference picture ready to be kept; size is (width, height) in pixels."""

    jpeg: bytes
    size: tuple[int, int]
    sha256: bytes


def read_reference(file: ReceivedFile, max_pixels: int) -> Reference:
    """Decode a received file; raise PictureCorrupt and its like. Blocking."""
    with file.writer.reader() as stream:
        content = stream.read()
    image = shrink(decode(content, max_pixels=max_pixels), LARGEST_SIDE)
    return Reference(
        encode_jpeg(image, quality=QUALITY), (image.shape[1], image.shape[0]), hashlib.sha256(content).digest()
    )


async def read_references(run: Runtime, files: Sequence[ReceivedFile]) -> list[Reference]:
    if not files:
        raise InputInvalid("No image files found to upload")
    most = int(run.settings.max_megapixels * 1_000_000)
    return [await run.off_loop(read_reference, file, most) for file in files]


async def keep_references(
    run: Runtime, connection: Connection, client_id: ClientId, product_id: int, references: Sequence[Reference]
) -> list[int]:
    """Keep the pictures of one product; give the ids of those that it did not have yet."""
    added = []
    for reference in references:
        key = f"products/{client_id}/{product_id}/{new_guid()}.jpg"
        await run.off_loop(run.objects.put, key, reference.jpeg)
        image_id = await masterdata.add_reference_picture(
            connection, product_id, key, sha256=reference.sha256, size=reference.size
        )
        if image_id is None:
            await run.off_loop(run.objects.delete, key)
        else:
            added.append(image_id)
    return added
