"""Measures pictures whose result was held against the planogram, and tells that they are processed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from coldshelf.compliance import service as compliance
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Step
from coldshelf.kit.runtime import Runtime
from coldshelf.kpis import store
from coldshelf.kpis.events import PROCESSED
from coldshelf.kpis.figures import FacingFigure, ImageFigures, Value
from coldshelf.kpis.formulas import KPI_VERSION, KPIS, measure
from coldshelf.masterdata import service as masterdata
from coldshelf.pictures.events import VIEW_LINK, picture_event
from coldshelf.pictures.models import Picture
from coldshelf.pictures.service import renditions
from coldshelf.recognition import service as recognition
from coldshelf.recognition.models import Row


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
        seen = Seen(result.rows, tuple(place.product_id for place in planned), compliant)
        columns = {
            **await figures_of(connection, seen),
            **await _versions(connection, picture, is_planned=bool(planned)),
        }
        if await store.write_figures(connection, picture.id, result_id=result.id, columns=columns):
            await renditions.finish(connection, picture.id)
            await run.events.publish(
                connection, picture_event(PROCESSED, step.event.client_id, picture, links=(VIEW_LINK,))
            )


async def compare_candidate(step: Step) -> None:
    """Handle `candidate.made`: measure a result that is not served, and note which figures it would change."""
    async with step.effect() as connection:
        candidate = await recognition.recognised_candidate(connection, step.event.key)
        picture = await renditions.load_picture(connection, candidate.picture_id) if candidate else None
        if candidate is None or picture is None:
            return
        rows = [replace(row, id=number) for number, row in enumerate(candidate.rows, 1)]
        plan = await compliance.plan_of(connection, picture, rows)
        compliant = await step.run.off_loop(compliance.would_comply, rows, plan)
        after = await figures_of(connection, Seen(rows, tuple(place.product_id for place in plan.places), compliant))
        before = await store.read_figures(connection, picture.id, after)
        await store.add_differences(
            connection,
            candidate.id,
            reprocessing_id=candidate.reprocessing_id,
            differences=orjson.dumps(differences_of(before, after)).decode(),
        )
        await recognition.finish_candidate(connection, candidate)


def differences_of(before: Mapping[str, Value], after: Mapping[str, Value]) -> list[dict[str, Value | str]]:
    """List the figures whose value changes, by their names on the wire."""
    return [
        {"name": figure.wire, "before": before.get(figure.column), "after": after[figure.column]}
        for figure in KPIS
        if before.get(figure.column) != after[figure.column]
    ]


async def summarise_candidates(connection: Connection, reprocessing_id: int) -> dict[str, object]:
    """Sum up what a reprocessing run would change: facings, names and figures."""
    facings = await recognition.summarise(connection, reprocessing_id)
    return {**facings, "Kpis": await store.difference_totals(connection, reprocessing_id)}


@dataclass(frozen=True, slots=True)
class Seen:
    """A result for the formulas: its rows, the product of each planned place, compliance by the id of the row."""

    rows: Sequence[Row]
    planned: tuple[int, ...]
    compliant: Mapping[int, bool]


async def figures_of(connection: Connection, seen: Seen) -> dict[str, Value]:
    """Compute every KPI of a result, by column."""
    beverages = await masterdata.beverage_types(connection, {row.product_id for row in seen.rows})
    return measure(image_of(seen, beverages))


def image_of(seen: Seen, beverages: Mapping[int, str]) -> ImageFigures:
    """Reduce a result to what the formulas need."""
    facings = tuple(
        FacingFigure(
            product_id=None if row.is_unknown or row.is_empty else row.product_id,
            is_foreign=row.is_foreign,
            is_empty=row.is_empty,
            fill_level=row.fill_level,
            is_compliant=seen.compliant.get(row.id),
            is_stacked=row.stack_index > 0,
            beverage_type=beverages.get(row.product_id, ""),
        )
        for row in seen.rows
    )
    return ImageFigures(facings, seen.planned)


async def _versions(connection: Connection, picture: Picture, *, is_planned: bool) -> dict[str, object]:
    """Say what the figures come from, beside the result."""
    planogram_id = picture.planogram_id if is_planned else None
    version, modified_on = await masterdata.planogram_stamp(connection, planogram_id) if planogram_id else (None, None)
    return {
        "kpi_version": KPI_VERSION,
        "kpi_planogram_id": planogram_id,
        "planogram_version": version,
        "planogram_modified_on": modified_on,
    }
