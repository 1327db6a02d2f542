"""Prepares a picture: decode, turn upright, redact people, combine, judge the quality, keep the renditions."""

from collections.abc import Sequence
from dataclasses import dataclass

from coldshelf.kit.db import Connection
from coldshelf.kit.events import Step
from coldshelf.kit.ids import ClientId
from coldshelf.kit.objects import ObjectStore
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures import events, store
from coldshelf.pictures.imaging.combine import SideBySide, Stitcher
from coldshelf.pictures.imaging.decode import decode
from coldshelf.pictures.imaging.encode import encode_jpeg
from coldshelf.pictures.imaging.errors import PictureCorrupt, PictureFormatUnknown, PictureTooLarge
from coldshelf.pictures.imaging.faces import PeopleDetector, default_detector, redact
from coldshelf.pictures.imaging.pixels import Pixels
from coldshelf.pictures.imaging.quality import assess
from coldshelf.pictures.models import Kind, Outcome, Picture, Rendition, Status, StoredFile, Verdict
from coldshelf.pictures.outcomes import decide_quality, rejected
from coldshelf.pictures.scenes import scene_named

QUALITY = 92
UNDECODABLE = (PictureCorrupt, PictureFormatUnknown, PictureTooLarge)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What preparation found; no renditions when the picture could not be decoded."""

    renditions: tuple[Rendition, ...]
    people_detector: str
    people_found: int
    width: int | None
    height: int | None
    verdict: Verdict | None


async def prepare_picture(step: Step) -> None:
    """Handle `picture.stored`."""
    run: Runtime = step.run
    client_id = step.event.client_id
    async with run.database.scope(client_id, readonly=True) as connection:
        picture = await store.load_picture(connection, step.event.key)
        files = await store.load_files(connection, step.event.key)
    if picture is None:
        return
    folder = f"renditions/{client_id}/{picture.captured_on:%Y%m%d}/{picture.guid}/{step.event.id}"
    prepared = await run.off_loop(prepare_files, run.objects, files, folder, settings_pixels(run))
    async with step.effect() as connection:
        await _write(run, connection, client_id, picture, prepared)


def settings_pixels(run: Runtime) -> int:
    return int(run.settings.max_megapixels * 1_000_000)


def prepare_files(objects: ObjectStore, files: Sequence[StoredFile], folder: str, max_pixels: int) -> Prepared:
    """Do all the work on pixels and store the renditions. Blocking; keys are those of the event, so it may run twice."""
    detector = default_detector()
    name = f"{detector.name} {detector.version}"
    try:
        pictures = [decode(objects.get(file.object_key), max_pixels=max_pixels) for file in files]
    except UNDECODABLE as error:
        return Prepared((), name, 0, None, None, rejected(error.message))
    quality = assess(pictures[0])
    cleaned = [_clean(detector, picture) for picture in pictures]
    parts = [picture for picture, _ in cleaned]
    renditions = [
        _keep(objects, part, kind=f"cam{file.place}", made_by=name, folder=folder)
        for file, part in sorted(zip(files, parts, strict=True), key=lambda pair: pair[0].place)
    ]
    whole, made_by = _combine(parts, files, SideBySide())
    renditions.append(_keep(objects, whole, kind=Kind.STITCHED, made_by=f"{name}, {made_by}", folder=folder))
    return Prepared(
        renditions=tuple(renditions),
        people_detector=name,
        people_found=sum(found for _, found in cleaned),
        width=whole.shape[1],
        height=whole.shape[0],
        verdict=decide_quality(quality.verdict, quality.reason),
    )


def _clean(detector: PeopleDetector, picture: Pixels) -> tuple[Pixels, int]:
    boxes = detector.find(picture)
    return redact(picture, boxes), len(boxes)


def _combine(parts: Sequence[Pixels], files: Sequence[StoredFile], stitcher: Stitcher) -> tuple[Pixels, str]:
    if len(parts) == 1:
        return parts[0], "single"
    return stitcher.combine(parts, [file.place for file in files]).image, f"{stitcher.name} {stitcher.version}"


def _keep(objects: ObjectStore, picture: Pixels, *, kind: str, made_by: str, folder: str) -> Rendition:
    jpeg = encode_jpeg(picture, quality=QUALITY)
    key = f"{folder}/{kind}.jpg"
    objects.put(key, jpeg)
    return Rendition(kind, made_by, key, picture.shape[1], picture.shape[0], len(jpeg))


async def _write(
    run: Runtime, connection: Connection, client_id: ClientId, picture: Picture, prepared: Prepared
) -> None:
    await store.add_renditions(connection, picture.id, prepared.renditions)
    values = {
        "prepared_on": run.clock.now() if prepared.renditions else None,
        "width": prepared.width,
        "height": prepared.height,
        "people_detector": prepared.people_detector,
        "people_found": prepared.people_found,
    }
    await store.change_picture(connection, picture.id, values)
    verdict = prepared.verdict
    if verdict and picture.status_id == Status.PROVISIONED and _is_analysed(picture):
        await store.set_verdict(connection, picture.id, verdict)
        kind = events.REJECTED if verdict.outcome is Outcome.REJECTED else events.PENDING
        await run.events.publish(connection, events.picture_event(kind, client_id, picture))
    elif verdict and not prepared.renditions:
        await store.set_verdict(connection, picture.id, verdict)
        await run.events.publish(connection, events.picture_event(events.REJECTED, client_id, picture))
    elif picture.status_id == Status.PROVISIONED and _is_analysed(picture):
        await store.change_picture(connection, picture.id, {"status_id": Status.QUEUED})
        await run.events.publish(connection, events.picture_event(events.PREPARED, client_id, picture))


def _is_analysed(picture: Picture) -> bool:
    scene = scene_named(picture.scene_type)
    return scene is not None and scene.is_analysed


async def give_up(step: Step, connection: Connection) -> None:
    """End a picture that no worker could work on: rejected, with a reason, never silently waiting."""
    await store.set_verdict(connection, step.event.key, rejected("ProcessingFailed"))
