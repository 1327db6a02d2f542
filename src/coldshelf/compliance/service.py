"""Compares served results with the planogram of their picture."""

from collections.abc import Sequence

from coldshelf.compliance import store
from coldshelf.compliance.events import COMPARED
from coldshelf.compliance.matching import Found, Match, Planned, match
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Step
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata import service as masterdata
from coldshelf.pictures.events import picture_event
from coldshelf.pictures.models import Picture
from coldshelf.pictures.service import renditions
from coldshelf.recognition import service as recognition
from coldshelf.recognition.models import Result, Row


async def compare_picture(step: Step) -> None:
    """Handle `picture.recognised`: hold the result that is served now against the planogram.

    Without planned places nothing is written: no facing is compliant or not. The fact goes on in any case.
    """
    run: Runtime = step.run
    async with step.effect() as connection:
        picture = await renditions.load_picture(connection, step.event.key)
        result = await recognition.served_result(connection, step.event.key)
        if picture is None or result is None:
            return
        await _compare(run, connection, picture, result)
        await run.events.publish(connection, picture_event(COMPARED, step.event.client_id, picture))


async def planned_places(connection: Connection, picture: Picture) -> tuple[Planned, ...]:
    """Give the places that the picture is compared with; none without a planogram."""
    if picture.planogram_id is None:
        return ()
    places = await masterdata.planned_places(connection, picture.planogram_id)
    return tuple(Planned(place.shelf, place.position, place.product_id) for place in places)


async def compliant_facings(connection: Connection, result_id: int) -> dict[int, bool] | None:
    """Give for each facing of a result whether it is compliant; None when the result was not compared yet."""
    if not await store.is_compared(connection, result_id):
        return None
    return await store.compliance(connection, result_id)


def would_comply(rows: Sequence[Row], planned: Sequence[Planned]) -> dict[int, bool]:
    """Say which rows of a result that is not served would stand where they should, by their ids. Pure."""
    if not planned:
        return {}
    matches = _matches(rows, planned)
    return {item.found_key: item.is_compliant for item in matches if item.found_key is not None}


async def _compare(run: Runtime, connection: Connection, picture: Picture, result: Result) -> None:
    planned = await planned_places(connection, picture)
    if not planned or picture.planogram_id is None:
        return
    # Locks in the order of recognition (product rows, then the record), so that a new result version and a second
    # comparison of this one wait for each other.
    await recognition.touch_rows(connection, result.id)
    await renditions.touch(connection, picture.id)
    if await store.is_compared(connection, result.id):
        return
    matches = await run.off_loop(_matches, result.rows, planned)
    places = {row.id: (row.shelf, row.position) for row in result.rows}
    await store.add_matches(
        connection,
        result_id=result.id,
        picture_id=picture.id,
        planogram_id=picture.planogram_id,
        placed=[(item, _place(item, places)) for item in matches],
    )


def _matches(rows: Sequence[Row], planned: Sequence[Planned]) -> tuple[Match, ...]:
    """Match a result with the planogram; what is stacked stands at no place of its own."""
    return match([_found(row) for row in rows if not row.stack_index], planned)


def _found(row: Row) -> Found:
    return Found(row.id, row.shelf, row.position, None if row.is_unknown else row.product_id, row.is_empty)


def _place(item: Match, places: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Give the planned place, else the place where it was found."""
    if item.planned:
        return item.planned.shelf, item.planned.position
    return places[item.found_key or 0]
