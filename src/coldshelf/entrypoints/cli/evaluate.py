"""`evaluate`: how good a recogniser is on pictures with truth."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coldshelf.entrypoints.cli.progress import followed
from coldshelf.entrypoints.cli.recognise import DEFAULT_RECOGNISER
from coldshelf.entrypoints.evaluation.outputs import write_coco, write_report
from coldshelf.entrypoints.evaluation.run import Request, evaluate
from coldshelf.entrypoints.evaluation.table import figures_table
from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.evaluation.exhibits import RatedPicture
from coldshelf.recognition.evaluation.measuring import Part
from coldshelf.recognition.evaluation.truth import TruePicture
from coldshelf.recognition.recognisers import by_name


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("evaluate")(evaluate_command)


def evaluate_command(
    folder: Annotated[Path, typer.Argument(help="Folder with truth, or a COCO file.")],
    references: Annotated[int | None, typer.Option(min=1, help="Use so many references of each SKU.")] = None,
    references_from: Annotated[Path | None, typer.Option(help="Folder whose references are used.")] = None,
    leave_out: Annotated[str, typer.Option(help="SKUs taken out of the catalogue, with commas between.")] = "",
    corrections: Annotated[Path | None, typer.Option(help="Corrections of the labels (JSON).")] = None,
    recogniser: Annotated[
        str, typer.Option(help="neural, colour, or neural:FOLDER for own models.")
    ] = DEFAULT_RECOGNISER,
    only: Annotated[list[Part] | None, typer.Option(help="Measure only this; may be said again.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Use every n-th picture only.")] = 1,
    draws: Annotated[int, typer.Option(min=0, help="Draw the references at random so often.")] = 0,
    bootstrap: Annotated[int, typer.Option(min=0, help="Add 95 % intervals over pictures drawn so often.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of draws and intervals.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for annotated pictures and report.html.")] = None,
    coco: Annotated[
        Path | None, typer.Option(help="COCO file of what was seen; beside it NAME_results and NAME_truth.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a recogniser on a folder of pictures with truth: no server, no database."""
    if draws and references is None:
        raise InputInvalid("--draws draws --references N pictures of each SKU", cure="Say --references 1, for example.")
    request = Request(
        folder=folder,
        references=references,
        references_from=references_from,
        leave_out=tuple(sku.strip() for sku in leave_out.split(",") if sku.strip()),
        corrections=corrections,
        every=every,
        parts=frozenset(only or Part),
        draws=draws,
        bootstrap=bootstrap,
        seed=seed,
    )
    evaluation, found = evaluate(request, by_name(recogniser), _follow)
    if coco is not None:
        write_coco(coco, evaluation)
    written = None if out is None else write_report(out, evaluation, found, _follow_drawing)
    if as_json:
        typer.echo(json.dumps(found))
        return
    Console().print(figures_table(found))
    if written is not None:
        typer.echo(f"Pictures and page: {written}")


def _follow(pictures: Iterable[TruePicture]) -> Iterable[TruePicture]:
    return followed(pictures, "Recognising")


def _follow_drawing(pictures: Iterable[RatedPicture]) -> Iterable[RatedPicture]:
    return followed(pictures, "Drawing")
