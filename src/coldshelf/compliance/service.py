"""Compares served results with the planogram of their picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from coldshelf.compliance import store
from coldshelf.compliance.comparing import Comparison, Plan, compare_rows
from coldshelf.compliance.events import COMPARED
from coldshelf.compliance.matching import Planned
from coldshelf.compliance.wire import Names, ProductName
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Step
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata import service as masterdata
from coldshelf.masterdata.models import PlanogramUse
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


@dataclass(frozen=True, slots=True)
class Compared:
    """A picture's served result beside its planogram; `names` are those of the planned products."""

    planogram_id: int
    result: Result
    plan: Plan
    comparisons: tuple[Comparison, ...]
    names: Names


async def plan_of(connection: Connection, picture: Picture, rows: Sequence[Row]) -> Plan:
    """Give what the rows of a picture are compared with; a plan without places when it has no planogram."""
    if picture.planogram_id is None:
        return Plan()
    places = await masterdata.planned_places(connection, picture.planogram_id)
    use = await masterdata.planogram_use(connection, picture.planogram_id)
    products = {place.product_id for place in places} | {row.product_id for row in rows}
    return Plan(
        use,
        tuple(Planned(place.shelf, place.position, place.product_id) for place in places),
        await masterdata.product_categories(connection, products) if use is PlanogramUse.CATEGORY else {},
    )


async def planned_places(connection: Connection, picture: Picture) -> tuple[Planned, ...]:
    """Give the places, or wanted facings, that the picture is compared with; none without a planogram."""
    return (await plan_of(connection, picture, ())).places


async def compliant_facings(connection: Connection, result_id: int) -> dict[int, bool] | None:
    """Give for each facing of a result whether it is compliant; None when the result was not compared yet."""
    if not await store.is_compared(connection, result_id):
        return None
    return await store.compliance(connection, result_id)


async def compared_picture(connection: Connection, picture_id: int) -> Compared | None:
    """Give the comparison of a picture's served result; None when there is none (yet), or no planogram."""
    picture = await renditions.load_picture(connection, picture_id)
    result = await recognition.served_result(connection, picture_id)
    if picture is None or picture.planogram_id is None or result is None:
        return None
    written = await store.comparisons(connection, result.id, {row.id: row for row in result.rows})
    if not written:
        return None
    plan = await plan_of(connection, picture, result.rows)
    called = await masterdata.product_names(connection, {place.product_id for place in plan.places})
    names = {product_id: ProductName(sku, name) for product_id, (sku, name) in called.items()}
    return Compared(picture.planogram_id, result, plan, tuple(written), names)


def would_comply(rows: Sequence[Row], plan: Plan) -> dict[int, bool]:
    """Say which rows of a result that is not served would stand where they should, by their ids. Pure."""
    return {item.row.id: item.match.is_compliant for item in compare_rows(rows, plan) if item.row}


async def _compare(run: Runtime, connection: Connection, picture: Picture, result: Result) -> None:
    plan = await plan_of(connection, picture, result.rows)
    if not plan.places or picture.planogram_id is None:
        return
    # Locks in the order of recognition (product rows, the planogram, the record), so that a new result version and a
    # second comparison of this one wait for each other.
    await recognition.touch_rows(connection, result.id)
    await masterdata.use_planogram(connection, picture.planogram_id)
    await renditions.touch(connection, picture.id)
    if await store.is_compared(connection, result.id):
        return
    await store.add_comparisons(
        connection,
        await run.off_loop(compare_rows, result.rows, plan),
        result_id=result.id,
        picture_id=picture.id,
        planogram_id=picture.planogram_id,
    )
