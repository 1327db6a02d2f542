"""What every route may ask of the request at hand."""

from starlette.requests import HTTPConnection
from starlette.types import Scope

from coldshelf.kit.runtime import Runtime

HEADERS = "coldshelf.headers"
REQUEST_ID = "coldshelf.request_id"
CONTROLLERS = "/controllers/"
VERSIONED_CONTROLLERS = "/v1/controllers/"
"""The same handlers by a path that names their version."""


def run_of(connection: HTTPConnection) -> Runtime:
    """Give the Runtime that the application was started with."""
    run = connection.app.state.run
    if not isinstance(run, Runtime):
        raise TypeError("app.state.run is not a Runtime")
    return run


def request_id_of(scope: Scope) -> str:
    return str(scope.get(REQUEST_ID, ""))


def add_header(connection: HTTPConnection, name: str, value: str) -> None:
    """Put a header on the answer, whatever answer it becomes: also an error or a stream."""
    connection.scope.setdefault(HEADERS, []).append((name.lower().encode("latin-1"), value.encode("latin-1")))


def is_contract(scope: Scope) -> bool:
    """Say whether the path is one of the published contract's handlers."""
    return str(scope["path"]).startswith(CONTROLLERS)
