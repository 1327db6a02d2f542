"""The sign-in of a request: bearer token, HTTP Basic, or the cookie of the Login handler."""

import base64
import binascii
import time
from collections import OrderedDict
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request

from coldshelf.access import credentials, service
from coldshelf.access.errors import ForeignOrigin, RateExceeded
from coldshelf.access.principal import Principal
from coldshelf.kit.errors import NotSignedIn
from coldshelf.kit.memory import Memory
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.request import add_header, run_of

COOKIE = ".ASPXAUTH"
HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
MINUTE = 60.0


async def caller(request: Request) -> Principal:
    """Sign the request in and count it; for a handler that calls `check_origin` once it knows the action."""
    run = run_of(request)
    principal = await _sign_in(run, request)
    count_request(request, principal.credential)
    return principal


async def signed_in(request: Request) -> Principal:
    """Sign the request in; what may change something must not come from another site."""
    principal = await caller(request)
    if request.method not in HARMLESS:
        check_origin(request, principal)
    return principal


SignedIn = Annotated[Principal, Depends(signed_in)]
"""The parameter type of a route that needs a sign-in."""
Caller = Annotated[Principal, Depends(caller)]
"""The same for a route that reads by POST as well and calls `check_origin` itself before it changes something."""


def check_origin(request: Request, principal: Principal) -> None:
    """Raise ForeignOrigin for a change from another site.

    Browsers send cookies, and Basic credentials they once asked for, on their own. So a cookie must come with an
    origin that is let in, and Basic credentials must not come with one that is not. A token is never sent unasked.
    """
    origin = _origin(request)
    if principal.credential.startswith("cookie:") and origin is None:
        raise ForeignOrigin
    if not principal.credential.startswith(("token:", "device:")):
        check_sender(request)


def check_sender(request: Request) -> None:
    """Raise ForeignOrigin when a request says that it comes from another site."""
    origin = _origin(request)
    if origin is not None and not _is_ours(request, origin):
        raise ForeignOrigin


def count_request(request: Request, credential: str) -> None:
    """Count a request of a credential; raise RateExceeded when it has no more within this minute."""
    _rates.of(run_of(request)).count(request, credential)


async def _sign_in(run: Runtime, request: Request) -> Principal:
    authorization = request.headers.get("authorization")
    if authorization:
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return await service.sign_in_token(run, value.strip())
        if scheme.lower() == "basic":
            username, password = _decode_basic(value.strip())
            if credentials.is_token(password):
                return await service.sign_in_token(run, password)
            return await service.sign_in_password(run, username, password)
        raise NotSignedIn("Only Basic and Bearer are taken in Authorization")
    cookie = request.cookies.get(COOKIE)
    if cookie:
        return await service.sign_in_cookie(run, cookie)
    raise NotSignedIn


def _decode_basic(value: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotSignedIn("The Basic credentials cannot be read") from error
    try:
        text = decoded.decode("utf-8")
    except UnicodeDecodeError:
        text = decoded.decode("latin-1")  # RFC 7617 leaves the charset open, and older clients send this one
    username, colon, password = text.partition(":")
    if not colon:
        raise NotSignedIn("The Basic credentials cannot be read")
    return username, password


def _origin(request: Request) -> str | None:
    return request.headers.get("origin") or request.headers.get("referer") or None


def _is_ours(request: Request, origin: str) -> bool:
    """Compare the origin with the host that was asked; the scheme may differ behind a proxy that ends TLS."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    allowed = {one.strip().lower() for one in run_of(request).settings.allow_origins}
    if f"{parts.scheme}://{parts.netloc}".lower() in allowed:
        return True
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == request.headers.get("host", "").lower()


class Rates:
    """Requests of each credential within its current minute; knows the latest `size` credentials."""

    def __init__(self, limit: int, size: int = 100_000) -> None:
        self._limit = limit
        self._size = size
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def count(self, request: Request, credential: str) -> None:
        """Count a request, say on its answer what is left, and raise RateExceeded when nothing is."""
        now = time.monotonic()
        began, count = self._windows.pop(credential, (now, 0))
        if now >= began + MINUTE:
            began, count = now, 0
        self._windows[credential] = (began, count + 1)
        if len(self._windows) > self._size:
            self._windows.popitem(last=False)
        left = began + MINUTE - now
        remaining, reset = max(0, self._limit - count - 1), int(left) + 1
        add_header(request, "RateLimit-Policy", f'"credential";q={self._limit};w={MINUTE:.0f}')
        add_header(request, "RateLimit", f'"credential";r={remaining};t={reset}')
        # The three fields of the drafts before the seventh, which most client libraries read.
        add_header(request, "RateLimit-Limit", str(self._limit))
        add_header(request, "RateLimit-Remaining", str(remaining))
        add_header(request, "RateLimit-Reset", str(reset))
        if count >= self._limit:
            raise RateExceeded(timedelta(seconds=left))


_rates: Memory[Rates] = Memory(
    lambda run: Rates(max(1, run.settings.requests_per_minute // run.settings.api_processes))
)
