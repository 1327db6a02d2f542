"""`link …`: links for people without an account, made, listed and taken back."""

import json
from datetime import timedelta
from typing import Annotated

import typer

from coldshelf.access.links import Link, purpose_named
from coldshelf.access.principal import house
from coldshelf.access.service import client_by_code, list_links, revoke
from coldshelf.entrypoints.bootstrap import PURPOSES, registry
from coldshelf.entrypoints.cli.admin import say, with_runtime
from coldshelf.entrypoints.cli.options import ClientCode
from coldshelf.kit.clock import wire_time
from coldshelf.kit.runtime import Runtime
from coldshelf.records.links.service import Draft, make_link

WHO = "command line"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
link_app = typer.Typer(help="Links for people without an account.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(link_app, name="link")


@link_app.command("make")
def link_make(
    purpose: Annotated[str, typer.Argument(help=f"What it is for: {', '.join(PURPOSES)}.")],
    key: Annotated[int, typer.Argument(help="Id of the record that it opens.")],
    client: ClientCode,
    recipient: Annotated[str, typer.Option("--for", help="For whom, for your own lists.")] = "",
    days: Annotated[float | None, typer.Option(help="How long it opens; each purpose has a usual time.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a link and print its URL, this once."""

    async def work(run: Runtime) -> dict[str, object]:
        owner = await client_by_code(run, client)
        until = None if days is None else run.clock.now() + timedelta(days=days)
        draft = Draft(purpose_named(PURPOSES, purpose), key, recipient, expires_on=until)
        async with run.database.scope(owner.id, user_name=WHO) as connection:
            made = await make_link(run, connection, house(owner.id), registry(), draft)
        return {"link": made.id, "url": made.url, "expires": wire_time(made.expires_on)}

    say(with_runtime(work), as_json=as_json)


@link_app.command("list")
def link_list(
    client: ClientCode,
    limit: Annotated[int, typer.Option(help="How many of the latest.", min=1, max=1000)] = 20,
) -> None:
    """Print the latest links as JSON, without their tokens."""

    async def work(run: Runtime) -> list[dict[str, object]]:
        owner = await client_by_code(run, client)
        async with run.database.scope(owner.id, readonly=True) as connection:
            return [_said(link) for link in await list_links(connection, most=limit)]

    typer.echo(json.dumps(with_runtime(work), indent=1))


@link_app.command("revoke")
def link_revoke(link: Annotated[int, typer.Argument(help="Id of the link.")], client: ClientCode) -> None:
    """Take a link back: it opens no more."""

    async def work(run: Runtime) -> str:
        owner = await client_by_code(run, client)
        async with run.database.scope(owner.id, user_name=WHO) as connection:
            return wire_time(await revoke(run, connection, link))

    typer.echo(f"link {link} opens no more since {with_runtime(work)}")


def _said(link: Link) -> dict[str, object]:
    return {
        "link": link.id,
        "purpose": link.purpose,
        "record": f"{link.dataset} {link.record_key}",
        "for": link.recipient,
        "expires": wire_time(link.expires_on),
        "revoked": wire_time(link.revoked_on) if link.revoked_on else None,
        "used": wire_time(link.used_on) if link.used_on else None,
        "action": link.used_by_action,
    }
