"""Measures pictures whose result was held against the planogram, and tells that they are processed."""

from collections.abc import Mapping, Sequence

from coldshelf.compliance import service as compliance
from coldshelf.kit.events import Step
from coldshelf.kit.runtime import Runtime
from coldshelf.kpis import store
from coldshelf.kpis.events import PROCESSED
from coldshelf.kpis.formulas import FacingFigure, ImageFigures, measure
from coldshelf.pictures.events import picture_event
from coldshelf.pictures.service import renditions
from coldshelf.recognition import service as recognition
from coldshelf.recognition.models import Row

LINKS = ("image.view",)


async def measure_picture(step: Step) -> None:
    """Handle `picture.compared`: measure the result that is served now, once, and finish the picture.

    A newer result that is not compared yet is left to the event of its own comparison.
    """
    run: Runtime = step.run
    async with step.effect() as connection:
        picture = await renditions.load_picture(connection, step.event.key)
        result = await recognition.served_result(connection, step.event.key)
        if picture is None or result is None:
            return
        planned = await compliance.planned_places(connection, picture)
        compliant = await compliance.compliant_facings(connection, result.id) if planned else {}
        if compliant is None:
            return
        figures = measure(figures_of(result.rows, [place.product_id for place in planned], compliant))
        if await store.write_figures(connection, picture.id, result_id=result.id, figures=figures):
            await renditions.finish(connection, picture.id)
            await run.events.publish(connection, picture_event(PROCESSED, step.event.client_id, picture, links=LINKS))


def figures_of(rows: Sequence[Row], planned: Sequence[int], compliant: Mapping[int, bool]) -> ImageFigures:
    """Reduce a result to what the formulas need. Recognition gives no fill levels yet, so there is no occupancy."""
    return ImageFigures(
        tuple(
            FacingFigure(
                product_id=None if row.is_unknown or row.is_empty else row.product_id,
                is_foreign=row.is_foreign,
                is_empty=row.is_empty,
                fill_level=None,
                is_compliant=compliant.get(row.id),
            )
            for row in rows
        ),
        tuple(planned),
    )
