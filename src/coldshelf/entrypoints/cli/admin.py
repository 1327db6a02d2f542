"""`client add`, `user add`, `token add`: who may come in."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from coldshelf.access.principal import OPERATORS, Role
from coldshelf.access.service import add_client, add_token, add_user, client_by_code, list_tokens, user_by_name
from coldshelf.entrypoints.bootstrap import database_url, runtime
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.masterdata.service import prepare_client

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
client_app = typer.Typer(help="Clients: the tenants of an installation.", no_args_is_help=True)
user_app = typer.Typer(help="Users, operators and API tokens.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(client_app, name="client")
    app.add_typer(user_app, name="user")


def with_runtime(work: Callable[[Runtime], Awaitable[T]]) -> T:
    """Open a Runtime from the environment, migrate if needed, do the work, close."""
    settings = load_settings()

    async def opened() -> T:
        async with runtime(settings, database_url(settings)) as run:
            return await work(run)

    return asyncio.run(opened())


def say(values: dict[str, object], *, as_json: bool) -> None:
    """Print a result for a person or for a program."""
    typer.echo(json.dumps(values) if as_json else "\n".join(f"{name}: {value}" for name, value in values.items()))


@client_app.command("add")
def client_add(
    code: Annotated[str, typer.Argument(help="Short code, fixed for life: letters, digits, - and _.")],
    name: Annotated[str, typer.Argument(help="Name.")],
    time_zone: Annotated[str, typer.Option(help="Time zone of outlets that have none, IANA name.")] = "UTC",
    demand_planogram: Annotated[bool, typer.Option(help="Reject pictures of coolers without a planogram.")] = False,
    review_by_hand: Annotated[bool, typer.Option(help="Let such pictures wait for review instead.")] = False,
    as_json: Json = False,
) -> None:
    """Add a client."""

    async def work(run: Runtime) -> int:
        client_id = await add_client(
            run,
            code,
            name,
            time_zone=time_zone,
            demands_planogram=demand_planogram,
            reviews_by_hand=review_by_hand,
        )
        await prepare_client(run, client_id)
        return client_id

    say({"clientId": with_runtime(work), "code": code}, as_json=as_json)


@user_app.command("add")
def user_add(
    username: Annotated[str, typer.Argument(help="Name to sign in with.")],
    client: Annotated[str, typer.Option(help="Code of the client; leave out for an operator.")] = "",
    role: Annotated[Role, typer.Option(help="Role.", case_sensitive=False)] = Role.CLIENT_ADMIN,
    email: Annotated[str, typer.Option(help="E-mail address.")] = "",
    password: Annotated[
        str | None, typer.Option(envvar="COLDSHELF_NEW_PASSWORD", help="Password; one is made when there is none.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a user; without --client an operator."""
    if bool(client) == (role is Role.OPERATOR):
        raise InputInvalid("A user has a client and one of its roles; an operator has --role Operator and no client.")

    async def work(run: Runtime) -> tuple[int, str]:
        client_id = (await client_by_code(run, client)).id if client else OPERATORS
        return await add_user(run, client_id, username, password=password, role=role, email=email)

    user_id, made = with_runtime(work)
    say({"userId": user_id, "username": username, "role": role.value, "password": made}, as_json=as_json)


@user_app.command("token")
def user_token(
    username: Annotated[str, typer.Argument(help="User whom the token signs in.")],
    name: Annotated[str, typer.Argument(help="What it is for.")],
    as_json: Json = False,
) -> None:
    """Make an API token of a user; it is shown this once."""

    async def work(run: Runtime) -> str:
        client_id, user_id = await user_by_name(run, username)
        return await add_token(run, client_id, user_id, name)

    say({"token": with_runtime(work), "name": name}, as_json=as_json)


@user_app.command("tokens")
def user_tokens(client: Annotated[str, typer.Option(help="Code of the client.")]) -> None:
    """Print the API tokens of a client as JSON, without their secrets."""

    async def work(run: Runtime) -> list[dict[str, object]]:
        tokens = await list_tokens(run, (await client_by_code(run, client)).id)
        return [{"tokenId": one.id, "userId": one.user_id, "name": one.name} for one in tokens if not one.revoked_on]

    typer.echo(json.dumps(with_runtime(work), indent=1))
