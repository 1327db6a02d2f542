"""The Login handler of the contract, and the handlers of roles and limits."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from coldshelf.access import service
from coldshelf.access.administration import EXAMPLES, Json, limit_record, read_limit, read_role, role_record
from coldshelf.access.principal import PEOPLE, Permission
from coldshelf.access.service import COOKIE_LIFE, Known, make_cookie, sign_in_password
from coldshelf.access.web import COOKIE, Caller, check_origin, check_sender
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError, Conflict, InputInvalid, NotFound, NotSignedIn, TooManyRequests
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.web.errors import error_headers
from coldshelf.kit.web.params import Params, read_form, read_params
from coldshelf.kit.web.request import run_of

router = APIRouter(tags=["Sign-in"])


class LoginDone(BaseModel):
    success: bool = True


class LoginRefused(BaseModel):
    success: bool = False
    info: str


_FORM: dict[str, Any] = {  # an OpenAPI fragment: JSON of any shape
    "schema": {
        "type": "object",
        "required": ["Username", "Password"],
        "properties": {
            "Username": {"type": "string"},
            "Password": {"type": "string", "format": "password"},
        },
    }
}
_OPENAPI: dict[str, Any] = {
    "security": [],
    "requestBody": {
        "required": True,
        "description": "Names in any case. Read from the body only, since queries end up in logs.",
        "content": {"application/x-www-form-urlencoded": _FORM, "multipart/form-data": _FORM},
    },
}


@router.post(
    "/controllers/login.ashx",
    summary="Sign in with a form and get the cookie",
    description=f"Sets the cookie `{COOKIE}` for {COOKIE_LIFE.days} days; a change of the password ends it.",
    response_model=LoginDone,
    responses={
        401: {"model": LoginRefused, "description": "The user name or the password is wrong."},
        403: {"description": "The form comes from another site."},
        429: {"model": LoginRefused, "description": "Too many failures with this user name; see `Retry-After`."},
    },
    openapi_extra=_OPENAPI,
)
async def login(request: Request) -> Response:
    check_sender(request)
    run = run_of(request)
    form = await read_form(request)
    try:
        # The password goes on as it is: blanks at its ends belong to it.
        principal = await sign_in_password(run, form.text("Username"), form.get("Password", ""))
        cookie = await make_cookie(run, principal)
    except (NotSignedIn, TooManyRequests) as error:
        return _refused(error)
    answer = JSONResponse(LoginDone().model_dump())
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=int(COOKIE_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


def _refused(error: ColdshelfError) -> Response:
    body = LoginRefused(info=error.message).model_dump()
    return JSONResponse(body, status_code=error.status, headers=error_headers(error))


PARAMETERS = {
    "SecurityRole": {
        "id": "Role to load, change or delete",
        "Name": "Name of the role; the name of a published one changes that role for this client",
        "BasedOn": f"Published role whose rights hold where this one says nothing: {', '.join(sorted(PEOPLE))}",
        "Rights": f"none, read or write for each entity or dataset that differs: {EXAMPLES['Rights']}",
        "Permissions": f"Permissions that differ: {EXAMPLES['Permissions']}",
        "OwnOutlets": "true: its users see only the outlets whose primary sales rep they are",
        "UserId": "User who gets the role (action=assign)",
    },
    "AccessLimit": {
        "UserId": "User who is limited",
        "TokenId": "Token of that user; without it all its sign-ins are limited",
        "Grants": f"Ids that are let through; one dimension widens, several narrow: {EXAMPLES['Grants']}",
        "Datasets": f"Entities and datasets that are let through, all unless sent: {EXAMPLES['Datasets']}",
        "HiddenFields": f"Fields that are hidden, in every dataset or in one: {EXAMPLES['HiddenFields']}",
    },
}
"""What the two handlers take beside `action`."""


@dataclass(frozen=True, slots=True)
class Order:
    """One request of the handlers of roles and limits, in the transaction of its effect."""

    connection: Connection
    client_id: ClientId
    params: Params
    known: Known


Work = Callable[[Order], Awaitable[Any]]  # gives JSON of any shape


async def _load_role(order: Order) -> Any:
    role = await service.load_role(order.connection, order.client_id, order.params.integer("id", default=0))
    return {"id": role.id, "data": role_record(role)}


async def _save_role(order: Order) -> Any:
    row_id = order.params.integer("id", default=0)
    before = await service.load_role(order.connection, order.client_id, row_id) if row_id else None
    role = read_role(order.params, order.known, before)
    saved = await service.save_role(order.connection, order.client_id, role)
    return {"id": saved.id, "data": role_record(saved)}


async def _delete_role(order: Order) -> Any:
    role = await service.delete_role(order.connection, order.client_id, order.params.integer("id", default=0))
    return {"id": role.id, "data": role_record(role)}


async def _assign_role(order: Order) -> Any:
    user_id = UserId(order.params.integer("UserId", default=0))
    name = await service.set_user_role(order.connection, order.client_id, user_id, order.params.text("Name"))
    return {"id": user_id, "data": {"UserId": user_id, "Role": name}}


async def _list_roles(order: Order) -> Any:
    return _page(order, [role_record(role) for role in await service.list_roles(order.connection, order.client_id)])


async def _save_limit(order: Order) -> Any:
    user_id, token_id = UserId(order.params.integer("UserId", default=0)), order.params.integer("TokenId")
    draft = read_limit(order.params)
    limit_id = await service.set_limit(
        order.connection, order.client_id, user_id, token_id, draft=draft, known=order.known
    )
    return {"id": limit_id}


async def _list_limits(order: Order) -> Any:
    return _page(order, [limit_record(one) for one in await service.list_limits(order.connection, order.client_id)])


def _page(order: Order, records: list[Json]) -> Json:
    start, limit = order.params.integer("start", default=0), order.params.integer("limit", default=50)
    return {"totalRecords": len(records), "records": records[max(0, start) : max(0, start) + max(0, limit)]}


WORKS: dict[str, dict[str, Work]] = {
    "SecurityRole": {
        "list": _list_roles,
        "load": _load_role,
        "save": _save_role,
        "delete": _delete_role,
        "assign": _assign_role,
    },
    "AccessLimit": {"list": _list_limits, "save": _save_limit},
}
"""Handlers of roles and limits with their actions; each takes the permission `roles`."""
READS = frozenset({"list", "load"})


def role_router(known: Known) -> APIRouter:
    """Make the handlers of roles and limits; `known` says what they may name."""
    made = APIRouter()
    for name in WORKS:
        _add(made, known, name)
    return made


def _add(made: APIRouter, known: Known, name: str) -> None:
    async def handle(request: Request, principal: Caller) -> Response:
        params = await read_params(request)
        principal.require_permission(Permission.ROLES)
        action = params.text("action").lower()
        if action not in WORKS[name] or (request.method == "GET" and action not in READS):
            raise InputInvalid(f"Action not found: {action[:60]!r}; {name} takes {', '.join(WORKS[name])}")
        if action not in READS:
            check_origin(request, principal)
        scope = run_of(request).database.scope(
            principal.client, user_id=principal.user_id, user_name=principal.user_name
        )
        try:
            async with scope as connection:
                done = await WORKS[name][action](Order(connection, principal.client, params, known))
        except (InputInvalid, NotFound, Conflict) as error:  # business errors answer 200 (contract 1.4)
            return JSONResponse({"success": False, "info": f"{error.message}. {error.cure}".rstrip(". ")})
        return JSONResponse({"success": True, **done})

    for method in ("GET", "POST"):
        made.add_api_route(
            f"/controllers/{name.lower()}.ashx",
            handle,
            methods=[method],
            tags=["Roles"],
            operation_id=f"{name}_{method.lower()}",
            summary=SUMMARIES[name],
            openapi_extra={"parameters": [_action(name, method), *_documented(PARAMETERS[name])]},
            responses={
                200: {"description": "Done, or a business error"},
                400: {"description": "The action cannot be used"},
                401: {"description": "Sign-in is needed"},
                403: {"description": "The role does not allow this"},
                429: {"description": "Too many requests; see Retry-After"},
            },
        )


SUMMARIES = {
    "SecurityRole": "Roles of the client's own, and who has them",
    "AccessLimit": "What users and tokens are limited to: outlets, datasets, fields",
}


def _action(name: str, method: str) -> Json:
    actions = [action for action in WORKS[name] if method == "POST" or action in READS]
    schema = {"type": "string", "enum": actions}
    return {"name": "action", "in": "query", "required": True, "schema": schema, "description": "What to do"}


def _documented(taken: Mapping[str, str]) -> list[Json]:
    return [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string"}, "description": meaning}
        for name, meaning in taken.items()
    ]
