"""Prepares a picture: decode, turn upright, redact people, combine, judge the quality, keep the renditions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from coldshelf.kit.db import Connection
from coldshelf.kit.events import Step
from coldshelf.kit.objects import ObjectStore
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures import events, store
from coldshelf.pictures.imaging.combine import SideBySide, Stitcher
from coldshelf.pictures.imaging.decode import decode
from coldshelf.pictures.imaging.encode import encode_jpeg, shrink
from coldshelf.pictures.imaging.errors import PictureCorrupt, PictureFormatUnknown, PictureTooLarge
from coldshelf.pictures.imaging.faces import PeopleDetector, default_detector, redact
from coldshelf.pictures.imaging.pixels import Pixels
from coldshelf.pictures.imaging.quality import Quality, QualityVerdict, assess
from coldshelf.pictures.models import Kind, Outcome, Picture, Rendition, Status, StoredFile, Verdict
from coldshelf.pictures.outcomes import decide_quality, rejected
from coldshelf.pictures.scenes import is_analysed

QUALITY = 92
UNDECODABLE = (PictureCorrupt, PictureFormatUnknown, PictureTooLarge)
PROCESSING_FAILED = "ProcessingFailed"
WORST_FIRST = (QualityVerdict.UNUSABLE, QualityVerdict.DOUBTFUL, QualityVerdict.OK)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What preparation found; no renditions when the picture could not be decoded."""

    renditions: tuple[Rendition, ...] = ()
    people_detector: str | None = None
    people_found: int | None = None
    width: int | None = None
    height: int | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One file, decoded and redacted, and reduced to its share of the combined picture."""

    pixels: Pixels
    rendition: Rendition
    quality: Quality
    people: int


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
    most = int(run.settings.max_megapixels * 1_000_000)
    prepared = await run.off_loop(prepare_files, run.objects, files, folder, max_pixels=most)
    async with step.effect() as connection:
        # Locked: a reviewer may decide at this moment, and one of the two must see what the other did.
        now = await store.lock_picture(connection, picture.id) or picture
        await _write(step, connection, now, prepared)


def prepare_files(
    objects: ObjectStore,
    files: Sequence[StoredFile],
    folder: str,
    *,
    max_pixels: int,
    detector: PeopleDetector | None = None,
) -> Prepared:
    """Do all the work on pixels and keep the renditions. Blocking; keys are those of the event, so it may run twice."""
    detector = detector or _detector()
    name = f"{detector.name} {detector.version}"
    share = max_pixels // len(files)
    try:
        parts = [_part(objects, file, folder, detector, max_pixels=max_pixels, share=share) for file in files]
    except UNDECODABLE as error:
        return Prepared(verdict=rejected(error.message))
    stitched = _stitched(objects, parts, files, folder)
    quality = min((part.quality for part in parts), key=lambda one: WORST_FIRST.index(one.verdict))
    return Prepared(
        renditions=(*(part.rendition for part in parts), stitched),
        people_detector=name,
        people_found=sum(part.people for part in parts),
        width=stitched.width,
        height=stitched.height,
        verdict=decide_quality(quality.verdict, quality.reason),
    )


@cache
def _detector() -> PeopleDetector:
    return default_detector()


def _part(
    objects: ObjectStore, file: StoredFile, folder: str, detector: PeopleDetector, *, max_pixels: int, share: int
) -> Part:
    """Work on one file at a time: twenty decoded pictures of 50 megapixels would fill any memory."""
    picture = decode(objects.get(file.object_key), max_pixels=max_pixels)
    quality = assess(picture)
    people = detector.find(picture)
    picture = redact(picture, people)
    made_by = f"{detector.name} {detector.version}"
    rendition = _keep(objects, picture, kind=f"cam{file.place}", made_by=made_by, folder=folder)
    return Part(_reduced(picture, share), rendition, quality, len(people))


def _reduced(picture: Pixels, most: int) -> Pixels:
    """Scale a picture down to at most so many pixels."""
    height, width = picture.shape[:2]
    return picture if height * width <= most else shrink(picture, int(math.sqrt(most * width / height)))


def _stitched(objects: ObjectStore, parts: Sequence[Part], files: Sequence[StoredFile], folder: str) -> Rendition:
    """Put the parts side by side; a single one is its own stitched picture, with the same object."""
    made_by = parts[0].rendition.made_by
    if len(parts) == 1:
        return replace(parts[0].rendition, kind=Kind.STITCHED, made_by=f"{made_by}, single")
    stitcher: Stitcher = SideBySide()
    whole = stitcher.combine([part.pixels for part in parts], [file.place for file in files]).image
    made_by = f"{made_by}, {stitcher.name} {stitcher.version}"
    return _keep(objects, whole, kind=Kind.STITCHED, made_by=made_by, folder=folder)


def _keep(objects: ObjectStore, picture: Pixels, *, kind: str, made_by: str, folder: str) -> Rendition:
    jpeg = encode_jpeg(picture, quality=QUALITY)
    key = f"{folder}/{kind}.jpg"
    objects.put(key, jpeg)
    return Rendition(kind, made_by, key, picture.shape[1], picture.shape[0], len(jpeg))


async def _write(step: Step, connection: Connection, picture: Picture, prepared: Prepared) -> None:
    run: Runtime = step.run
    if prepared.renditions:
        await store.add_renditions(connection, picture.id, prepared.renditions)
        values = {
            "prepared_on": run.clock.now(),
            "width": prepared.width,
            "height": prepared.height,
            "people_detector": prepared.people_detector,
            "people_found": prepared.people_found,
        }
        await store.change_picture(connection, picture.id, values)
    verdict = _outcome(picture, prepared)
    if verdict is not None:
        await _judge(step, connection, picture, verdict)
    elif picture.status_id == Status.PROVISIONED and is_analysed(picture.scene_type):
        await store.change_picture(connection, picture.id, {"status_id": Status.QUEUED})
        await run.events.publish(connection, events.picture_event(events.PREPARED, step.event.client_id, picture))


def _outcome(picture: Picture, prepared: Prepared) -> Verdict | None:
    """Give the outcome that replaces the first one; None when that stays."""
    verdict = prepared.verdict
    if verdict is None or not prepared.renditions:
        return verdict
    if not is_analysed(picture.scene_type) or picture.status_id == Status.REJECTED:
        return None
    if verdict.outcome is Outcome.PENDING and picture.status_id == Status.UNPROVISIONED:
        return None  # it waits already, for a better reason
    if verdict.outcome is Outcome.PENDING and picture.submission_outcome == Outcome.PROVISIONED:
        return None  # a reviewer has looked at it
    return verdict


async def _judge(step: Step, connection: Connection, picture: Picture, verdict: Verdict) -> None:
    await store.set_verdict(connection, picture.id, verdict)
    if picture.status_id != verdict.status_id:
        kind = events.REJECTED if verdict.outcome is Outcome.REJECTED else events.PENDING
        await step.bus.publish(connection, events.picture_event(kind, step.event.client_id, picture))


async def give_up(step: Step, connection: Connection) -> None:
    """End a picture that no worker could work on: rejected, with a reason, never silently waiting."""
    picture = await store.lock_picture(connection, step.event.key)
    if picture is not None:
        await _judge(step, connection, picture, rejected(PROCESSING_FAILED))
