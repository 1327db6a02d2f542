"""`listen`: a client's events on a developer's machine."""

import json
import signal
from typing import Annotated, NoReturn

import httpx
import typer

from coldshelf.entrypoints.listening import Listener, Told, check_secret, check_target
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.signing import new_secret


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(listen)


def listen(
    forward_to: Annotated[str, typer.Option(help="Where to post them: http:// on this machine, or https://.")] = "",
    events: Annotated[str, typer.Option(help="Comma list, such as image.* or order.accepted.")] = "*",
    show_bodies: Annotated[bool, typer.Option("--print", help="Print the bodies.")] = False,
    secret: Annotated[
        str, typer.Option(envvar="COLDSHELF_LISTEN_SECRET", help="Signs them; a new one unless given.")
    ] = "",
    url: Annotated[str, typer.Option(envvar="COLDSHELF_URL", help="Address of the API.")] = "http://127.0.0.1:8000",
    user: Annotated[str, typer.Option(envvar="COLDSHELF_USER", help="User name.")] = "",
    password: Annotated[str, typer.Option(envvar="COLDSHELF_PASSWORD", help="Password or API token.")] = "",
    count: Annotated[int, typer.Option(help="End after so many; 0: go on.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object for each event.")] = False,
) -> None:
    """Receive a client's events as they happen and forward them signed; Ctrl-C ends it.

    No public address is needed. What is sent is what a callback would carry, within the limits of the user.
    """
    if not forward_to and not show_bodies and not as_json:
        raise InputInvalid("Say where to forward them by --forward-to, or --print.")
    if forward_to:
        check_target(forward_to)
    secret = secret or new_secret()
    check_secret(secret)
    signal.signal(signal.SIGTERM, _interrupt)
    with httpx.Client(base_url=url, auth=(user, password)) as server:
        listener = Listener(
            server=server,
            forward_to=forward_to,
            secret=secret,
            events=events,
            show=lambda told: _show(told, as_json=as_json, with_body=show_bodies),
            say=lambda text: typer.echo(text, err=True),
        )
        typer.echo(
            f"Listening at {url} for {events}" + (f", forwarding to {forward_to}" if forward_to else ""), err=True
        )
        if forward_to:
            typer.echo(f"They are signed with {secret}", err=True)
        try:
            listener.run(count)
        except KeyboardInterrupt:
            typer.echo("", err=True)
    typer.echo(
        f"{listener.arrived + listener.failed} events: {listener.arrived} arrived, {listener.failed} failed", err=True
    )


def _show(told: Told, *, as_json: bool, with_body: bool) -> None:
    outcome = told.error or (told.status and str(told.status)) or "shown"
    if as_json:
        said = {"type": told.type, "id": told.id, "status": told.status, "error": told.error, "ms": told.milliseconds}
        typer.echo(json.dumps(said | ({"body": json.loads(told.body)} if with_body else {})))
        return
    typer.echo(f"{told.type:<26} {told.id}  {outcome}  {told.milliseconds} ms")
    if with_body:
        typer.echo(json.dumps(json.loads(told.body), indent=1, ensure_ascii=False))


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
