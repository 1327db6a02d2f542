"""The command line: one file a group of commands."""

import sys
from importlib import import_module

import typer
from rich.console import Console
from rich.markup import escape

from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.logs import configure_logs

GROUPS = {
    "demo": ("demo",),
    "serve": ("migrate", "api", "worker", "scheduler", "up"),
    "pictures": ("upload",),
    "recognise": ("recognise",),
    "evaluate": ("evaluate",),
    "train": ("train",),
    "render": ("render",),
    "reprocess": ("reprocess",),
    "imports": ("import",),
    "exports": ("export", "publish", "exports"),
    "published": ("validate", "reconcile", "repair"),
    "erase": ("erase", "erasures"),
    "callbacks": ("deliveries", "resend", "trigger"),
    "listen": ("listen",),
    "links": ("link",),
    "data": ("dictionary", "openapi", "reference", "events", "roles", "doctor"),
    "admin": ("client", "user"),
    "access": ("role", "limit"),
}
"""The commands of each file of this folder: a command loads its own file and no other."""


def build_app(command: str = "") -> typer.Typer:
    """Make the program of one command, or of all of them."""
    app = typer.Typer(help="Coldshelf: pictures of retail coolers in, measured answers out.", no_args_is_help=True)
    app.callback()(_coldshelf)
    for name in [group for group, commands in GROUPS.items() if command in commands] or GROUPS:
        import_module(f"{__name__}.{name}").add_to(app)
    return app


def main() -> None:
    """Run a command; an error says what, where and the cure, and ends with 1."""
    configure_logs("WARNING", human=sys.stderr.isatty())
    try:
        build_app(sys.argv[1] if len(sys.argv) > 1 else "")()
    except ColdshelfError as error:
        Console(stderr=True).print(
            f"[red]{escape(error.message)}[/red]" + (f"\n{escape(error.cure)}" if error.cure else "")
        )
        sys.exit(1)


def _coldshelf() -> None:
    """Coldshelf: pictures of retail coolers in, measured answers out."""  # a program of one command keeps its name
