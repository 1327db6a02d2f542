"""`render`: a folder of drawn coolers with their truth."""

import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from coldshelf.kit.errors import InputInvalid
from coldshelf.pictures.rendering import CoolerKind, FolderSpec, write_folder

_SMALLEST, _LARGEST = 64, 4000  # pixels
_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


class Kind(StrEnum):
    """What may be asked for: a kind of cooler, all of them, or one cooler seen by two cameras."""

    MIXED = "mixed"
    SHELF = "shelf"
    OPEN_DOOR = "open-door"
    GLASS_DOOR = "glass-door"
    MULTI_DOOR = "multi-door"
    OPEN_RACK = "open-rack"
    TWO_CAMERA = "two-camera"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(render)


def render(
    out: Annotated[Path, typer.Argument(help="Folder to write; it must be new or empty.")],
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many coolers.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same folder, byte for byte.")] = 0,
    size: Annotated[str, typer.Option(help="Width and height of a picture in pixels.")] = "720x960",
    kind: Annotated[Kind, typer.Option(help="What is drawn.")] = Kind.MIXED,
    products: Annotated[int, typer.Option(min=2, max=10_000, help="How many products the coolers may hold.")] = 60,
    unknown: Annotated[int, typer.Option(min=0, help="How many of them have no reference pictures.")] = 2,
    references: Annotated[int, typer.Option(min=1, max=20, help="Reference pictures of each product.")] = 4,
) -> None:
    """Draw coolers with their truth into a data folder for `evaluate` and `train`."""
    spec = FolderSpec(
        count=count,
        seed=seed,
        size=_size(size),
        kind=None if kind in {Kind.MIXED, Kind.TWO_CAMERA} else CoolerKind(kind.value),
        two_cameras=kind is Kind.TWO_CAMERA,
        products=products,
        unknown=unknown,
        references=references,
    )
    with Progress(*_COLUMNS, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Drawing", total=count)
        write_folder(out, spec, advance=lambda: progress.advance(task))
    typer.echo(f"{count} coolers and {max(products - unknown, 1)} products with references in {out}")


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    width, height = (int(part) for part in found.groups()) if found else (0, 0)
    if not _SMALLEST <= min(width, height) <= max(width, height) <= _LARGEST:
        raise InputInvalid(
            f"--size {text!r} is no size", cure=f"Write WIDTHxHEIGHT, each from {_SMALLEST} to {_LARGEST}, as 720x960."
        )
    return width, height
