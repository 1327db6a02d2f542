"""The command line: one file a group of commands."""

import sys

import typer
from rich.console import Console
from rich.markup import escape

from coldshelf.entrypoints.cli import (
    access,
    admin,
    callbacks,
    data,
    demo,
    erase,
    evaluate,
    exports,
    imports,
    pictures,
    published,
    recognise,
    render,
    reprocess,
    serve,
    train,
)
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.logs import configure_logs

app = typer.Typer(help="Coldshelf: pictures of retail coolers in, measured answers out.", no_args_is_help=True)
for group in (
    demo,
    serve,
    pictures,
    recognise,
    evaluate,
    train,
    render,
    reprocess,
    imports,
    exports,
    published,
    erase,
    callbacks,
    data,
    admin,
    access,
):
    group.add_to(app)


def main() -> None:
    """Run a command; an error says what, where and the cure, and ends with 1."""
    configure_logs("WARNING", human=sys.stderr.isatty())
    try:
        app()
    except ColdshelfError as error:
        Console(stderr=True).print(
            f"[red]{escape(error.message)}[/red]" + (f"\n{escape(error.cure)}" if error.cure else "")
        )
        sys.exit(1)
