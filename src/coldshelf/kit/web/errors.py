"""Errors as answers: the contract's shape under `/controllers/`, problem documents (problems.py) elsewhere."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from math import ceil

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from coldshelf.kit.errors import ColdshelfError, InputInvalid, NotFound
from coldshelf.kit.logs import get_logger
from coldshelf.kit.web.problems import MEDIA_TYPE, problem_body, problem_status
from coldshelf.kit.web.request import is_contract, request_id_of

log = get_logger("kit")
CHALLENGE = 'Basic realm="Coldshelf"'


class Unexpected(ColdshelfError):
    """Something went wrong"""

    code = "unexpected"
    cure = "Send it again; if it stays, tell the operator the request id."


class MethodNotAllowed(ColdshelfError):
    """This method is not offered here"""

    code = "method_not_allowed"
    status = 405


class PageNotFound(NotFound):
    """There is nothing under this path"""

    code = "path_not_found"


Body = Callable[[ColdshelfError, str], object]
"""Words an error, with its request id, as the JSON of a place."""


def add_error_handlers(app: FastAPI) -> None:
    """Translate every error at the edge, once."""
    app.add_exception_handler(ColdshelfError, _answer_coldshelf)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)


def error_answer(request: Request, error: ColdshelfError) -> Response:
    """Make the answer of an error in the shape of its place.

    A place with a shape of its own is named in `app.state.error_bodies`; sign-in and role errors stay plain there.
    """
    plain = is_contract(request.scope)
    shape: Body = contract_body if plain else partial(problem_body, instance=request.scope["path"])
    if error.status not in {401, 403, 405}:
        shape = getattr(request.app.state, "error_bodies", {}).get(request.scope["path"], shape)
    return Response(
        orjson.dumps(shape(error, request_id_of(request.scope))),
        status_code=error.status if plain else problem_status(error),
        media_type="application/json" if plain else MEDIA_TYPE,
        headers=error_headers(error),
    )


def error_headers(error: ColdshelfError) -> dict[str, str]:
    """Give the headers that belong to an error, also when a handler words its body itself."""
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    wait = getattr(error, "retry_after", None)
    if isinstance(wait, timedelta):
        headers["Retry-After"] = str(max(1, ceil(wait.total_seconds())))
    return headers


def contract_body(error: ColdshelfError, _request_id: str) -> dict[str, object]:
    """Word an error as the contract does, so that the published paging loop always ends."""
    return {"success": False, "info": error.message, "totalRecords": 0, "records": []}


async def _answer_coldshelf(request: Request, error: Exception) -> Response:
    if not isinstance(error, ColdshelfError):
        raise error
    if error.status >= 500:
        log.error("http.failed", code=error.code, exc_info=error)
        if error.status == 500:
            return error_answer(request, Unexpected())
    return error_answer(request, error)


async def _answer_validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return error_answer(request, InputInvalid("; ".join(_explain(part) for part in error.errors())))


async def _answer_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    answer = error_answer(request, _from_http(error))
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    if error.status_code == 405:
        answer.headers["Allow"] = ", ".join(_offered_methods(request))
    return answer


def _offered_methods(request: Request) -> list[str]:
    """Give the methods of every route under this path: the framework names those of one route only."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in routes for method in getattr(route, "methods", None) or ()})


def _from_http(error: HTTPException) -> ColdshelfError:
    known: dict[int, type[ColdshelfError]] = {404: PageNotFound, 405: MethodNotAllowed}
    if error.status_code in known:
        return known[error.status_code]()
    wrapped = ColdshelfError(str(error.detail))
    wrapped.status = error.status_code
    return wrapped


def _explain(part: object) -> str:
    details = dict(part)  # type: ignore[call-overload]  # pydantic's ErrorDetails is a TypedDict
    return f"{'.'.join(str(step) for step in details['loc'])}: {details['msg']}"
