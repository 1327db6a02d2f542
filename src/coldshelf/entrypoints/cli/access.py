"""`role …` and `limit …`: roles of a client's own, and what users and tokens are limited to."""

import json
from typing import Annotated

import typer

from coldshelf.access.administration import Json, limit_record, read_limit, read_role, role_record
from coldshelf.access.service import (
    client_by_code,
    delete_role,
    list_limits,
    list_roles,
    role_by_name,
    save_role,
    set_limit,
    set_user_role,
    user_by_name,
)
from coldshelf.entrypoints.bootstrap import known, registry
from coldshelf.entrypoints.cli.admin import say, with_runtime
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params

WHO = "coldshelf role"
Client = Annotated[str, typer.Option(help="Code of the client.")]
Name = Annotated[str, typer.Argument(help="Name of the role.")]
Username = Annotated[str, typer.Argument(help="User.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Ids = Annotated[list[int] | None, typer.Option(help="Id that is let through; may be repeated.")]
role_app = typer.Typer(help="Roles of a client's own, and who has them.", no_args_is_help=True)
limit_app = typer.Typer(help="What users and tokens are limited to.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(role_app, name="role")
    app.add_typer(limit_app, name="limit")


@role_app.command("save")
def role_save(
    name: Name,
    client: Client,
    based_on: Annotated[str, typer.Option(help="Published role that it is based on.")] = "",
    rights: Annotated[str, typer.Option(help='JSON such as {"Asset": "read"}: none, read or write.')] = "",
    permissions: Annotated[str, typer.Option(help='JSON such as {"export": false}.')] = "",
    own_outlets: Annotated[
        bool | None, typer.Option(help="Its users see only outlets whose primary sales rep they are.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a role, or change the one of this name."""
    given = {"Name": name, "BasedOn": based_on, "Rights": rights, "Permissions": permissions}
    sent = [(key, value) for key, value in given.items() if value]
    sent += [] if own_outlets is None else [("OwnOutlets", str(own_outlets).lower())]

    async def work(run: Runtime) -> Json:
        client_id = (await client_by_code(run, client)).id
        async with run.database.scope(client_id, user_name=WHO) as connection:
            before = {role.name.lower(): role for role in await list_roles(connection, client_id)}.get(name.lower())
            role = read_role(Params(sent), known(registry()), before)
            return role_record(await save_role(connection, client_id, role))

    say(with_runtime(work), as_json=as_json)


@role_app.command("list")
def role_list(client: Client) -> None:
    """Print the roles of a client's own as JSON."""

    async def work(run: Runtime) -> list[Json]:
        client_id = (await client_by_code(run, client)).id
        async with run.database.scope(client_id, readonly=True) as connection:
            return [role_record(role) for role in await list_roles(connection, client_id)]

    typer.echo(json.dumps(with_runtime(work), indent=1))


@role_app.command("delete")
def role_delete(name: Name, client: Client) -> None:
    """Delete a role that no user has."""

    async def work(run: Runtime) -> None:
        client_id = (await client_by_code(run, client)).id
        async with run.database.scope(client_id, user_name=WHO) as connection:
            await delete_role(connection, client_id, (await role_by_name(connection, client_id, name)).id)

    with_runtime(work)


@role_app.command("assign")
def role_assign(username: Username, role: Name) -> None:
    """Give a user a published role or one of the client's own."""

    async def work(run: Runtime) -> None:
        client_id, user_id = await user_by_name(run, username)
        async with run.database.scope(client_id, user_name=WHO) as connection:
            await set_user_role(connection, client_id, user_id, role)

    with_runtime(work)


@limit_app.command("set")
def limit_set(
    username: Username,
    token: Annotated[int | None, typer.Option(help="Limit this token of the user only.")] = None,
    outlet: Ids = None,
    market: Ids = None,
    channel: Ids = None,
    distributor: Ids = None,
    dataset: Annotated[list[str] | None, typer.Option(help="Entity or dataset that is let through.")] = None,
    hide: Annotated[list[str] | None, typer.Option(help="Field to hide, or personal.")] = None,
    as_json: AsJson = False,
) -> None:
    """Limit a user or a token to what is named and nothing else; without options to nothing."""
    grants = {"outlet": outlet, "market": market, "channel": channel, "distributor": distributor}
    sent = {"Grants": {name: ids for name, ids in grants.items() if ids}, "Datasets": dataset, "HiddenFields": hide}
    params = Params([(name, json.dumps(value)) for name, value in sent.items() if value])

    async def work(run: Runtime) -> int:
        client_id, user_id = await user_by_name(run, username)
        async with run.database.scope(client_id, user_name=WHO) as connection:
            return await set_limit(
                connection, client_id, user_id, token, draft=read_limit(params), known=known(registry())
            )

    say({"accessLimitId": with_runtime(work)}, as_json=as_json)


@limit_app.command("list")
def limit_list(client: Client) -> None:
    """Print the limits of a client's users and tokens as JSON."""

    async def work(run: Runtime) -> list[Json]:
        client_id = (await client_by_code(run, client)).id
        async with run.database.scope(client_id, readonly=True) as connection:
            return [limit_record(limit) for limit in await list_limits(connection, client_id)]

    typer.echo(json.dumps(with_runtime(work), indent=1))
