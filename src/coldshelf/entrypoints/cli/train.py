"""`train`: own networks from own pictures, taken only if they are better."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.networks.models import SHIPPED
from coldshelf.recognition.recognisers import OWN_MODELS
from coldshelf.recognition.training.comparison import FIGURES, figure
from coldshelf.recognition.training.options import Network, Options
from coldshelf.recognition.training.stopping import Stopped

if TYPE_CHECKING:
    from coldshelf.recognition.training.run import Outcome

NOT_TAKEN = 3
STOPPED = 130
_TOOLS = ("torch", "onnx")


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("train")(train_command)


def train_command(
    folders: Annotated[list[Path], typer.Argument(help="Folders of pictures with truth, or COCO files.")],
    out: Annotated[Path, typer.Option(help="Folder of this training; the same one goes on with it.")],
    against: Annotated[
        Path, typer.Option(help="Folder of the model in use.", show_default="the shipped one")
    ] = SHIPPED,
    take_anyway: Annotated[
        bool, typer.Option("--take-anyway", help="Take the model also when it is no better.")
    ] = False,
    only: Annotated[Network | None, typer.Option(help="Train this network alone.")] = None,
    detector_steps: Annotated[int | None, typer.Option(min=1, help="Steps of the detector.")] = None,
    embedding_steps: Annotated[int | None, typer.Option(min=1, help="Steps of the embedding.")] = None,
    rendered: Annotated[int, typer.Option(min=0, max=100_000, help="Drawn coolers to train on; 0 for none.")] = 400,
    rendered_share: Annotated[float | None, typer.Option(min=0, max=1, help="Share of them in training.")] = None,
    split: Annotated[Path | None, typer.Option(help="File that names the pictures to keep apart.")] = None,
    corrections: Annotated[Path | None, typer.Option(help="Corrections of the labels (JSON).")] = None,
    leave_out: Annotated[str, typer.Option(help="SKUs that no training sees, with commas between.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn by chance.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads on the CPU.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Train own networks, compare them with those in use, and take them only if they are better."""
    check_tools()
    options = Options(
        against=against,
        only=only,
        detector_steps=detector_steps,
        embedding_steps=embedding_steps,
        seed=seed,
        rendered=rendered,
        rendered_share=rendered_share,
        leave_out=tuple(sku.strip() for sku in leave_out.split(",") if sku.strip()),
        split=split,
        corrections=corrections,
        take_anyway=take_anyway,
        threads=threads,
    )
    outcome = _train(folders, out, options)
    if as_json:
        typer.echo(json.dumps(outcome.comparison))
    else:
        _show(outcome)
    if not outcome.taken:
        raise typer.Exit(NOT_TAKEN)


def check_tools() -> None:
    """Raise InputInvalid when a library that only training needs is not installed."""
    missing = [name for name in _TOOLS if find_spec(name) is None]
    if missing:
        raise InputInvalid(
            f"Training needs {' and '.join(missing)}, which nothing else here does: not installed",
            cure="pip install 'coldshelf[train]', or `make train-tools` in a checkout.",
        )


def _train(folders: list[Path], out: Path, options: Options) -> "Outcome":
    # Libraries that only training needs are not to be loaded, nor to be missed, by any other command.
    from coldshelf.recognition.training.run import train  # noqa: PLC0415

    try:
        with _Interruption().heard() as stop, _shown() as follow:
            return train(folders, out, options, follow, stop)
    except Stopped as stopped:
        typer.echo(f"{stopped}. What was done is kept in {out}: the same command goes on from there.", err=True)
        raise typer.Exit(STOPPED) from stopped


class _Interruption:
    """The first SIGINT or SIGTERM asks to save and stop, the second one ends the process at once."""

    def __init__(self) -> None:
        self._came = False

    def __call__(self) -> bool:
        return self._came

    @contextmanager
    def heard(self) -> Iterator["_Interruption"]:
        before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._came:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._came = True


@contextmanager
def _shown() -> Iterator["_Stages"]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield _Stages(progress)


class _Stages:
    """Shows a bar for each stage: to people with loss and time left, elsewhere a line now and then."""

    _LINES = 10

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int, loss: float | None) -> None:
        words = "" if loss is None else f"loss {loss:.3f}"
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total, loss=words)
        self._progress.update(self._tasks[stage], completed=done, loss=words)
        if self._progress.disable and (done == total or done % max(1, total // self._LINES) == 0):
            print(f"{stage}: {done}/{total} {words}".rstrip(), file=sys.stderr, flush=True)  # noqa: T201


def _show(outcome: "Outcome") -> None:
    new, in_use = outcome.comparison["new"], outcome.comparison["in_use"]
    title = f"{new['pictures']} pictures kept apart, labels: {new['labels']}"
    table = Table("Part", "Figure", new["recogniser"], f"in use: {in_use['recogniser']}", title=title)
    for part, name in FIGURES:
        cells = [figure(found, part, name) for found in (new, in_use)]
        table.add_row(part, name, *("-" if value is None else str(value) for value in cells))
    Console().print(table)
    typer.echo(outcome.verdict.why)
    if outcome.scarce:
        typer.echo(f"Seen in one box alone, so little was learnt of them: {', '.join(outcome.scarce)}.")
    if outcome.taken:
        typer.echo(f"Taken: {outcome.folder}. Use it by COLDSHELF_RECOGNISER={OWN_MODELS}{outcome.folder.resolve()}")
    else:
        typer.echo(f"Not taken: {outcome.folder}. {outcome.comparison['rule']} --take-anyway takes it all the same.")
