"""The door of links: GET shows and changes nothing, POST acts once. Errors are pages, for people without an account."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from coldshelf.access.errors import ForeignOrigin, LinkWrong, TooManyWrongLinks
from coldshelf.access.link_pages import HEADERS, PAGE_HEADERS, document, error_page
from coldshelf.access.links import PATH, PICTURE, Purposes, hash_number, read_token
from coldshelf.access.service import Failures, act, open_link
from coldshelf.access.web import count_request
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.memory import Memory
from coldshelf.kit.web.errors import error_headers
from coldshelf.kit.web.openapi import Json
from coldshelf.kit.web.params import query_params, read_form
from coldshelf.kit.web.request import run_of

WRONG_A_MINUTE = 30
"""Wrong links of one address within a minute, in each process; right ones are not counted."""
LARGEST_FORM = 64 * 1024
SEE_OTHER = 303

_wrong: Memory[Failures] = Memory(lambda _: Failures(WRONG_A_MINUTE, TooManyWrongLinks))


def link_router(purposes: Purposes) -> APIRouter:
    """Make the page of every link, its picture, and its actions."""
    router = APIRouter(tags=["Link pages"])

    async def show(request: Request, token: str) -> Response:
        async with open_link(run_of(request), purposes, token) as (purpose, opened):
            page = await purpose.show(opened)
        return HTMLResponse(document(page), headers=PAGE_HEADERS)

    async def picture(request: Request, token: str) -> Response:
        width = query_params(request).integer("w")
        async with open_link(run_of(request), purposes, token) as (purpose, opened):
            if purpose.picture is None:
                raise LinkWrong
            render = await purpose.picture(opened)
        jpeg = await run_of(request).off_loop(render, width)
        return Response(jpeg, headers=HEADERS, media_type="image/jpeg")

    async def do(request: Request, token: str) -> Response:
        _check_sender(request)
        form = await read_form(request, limit=LARGEST_FORM)
        await act(run_of(request), purposes, token, form.text("action"), form)
        # The page is loaded anew, so that a phone that wakes up does not send the form again.
        return Response(status_code=SEE_OTHER, headers={**HEADERS, "Location": token})

    _add(router, "", show, "show", SHOW)
    _add(router, f"/{PICTURE}", picture, "picture", LOOK)
    router.add_api_route(f"{PATH}/{{token}}", _paged(do), methods=["POST"], operation_id="link_act", **ACT)
    return router


Handle = Callable[[Request, str], Awaitable[Response]]


def _add(router: APIRouter, path: str, handle: Handle, name: str, documented: Json) -> None:
    endpoint = _paged(handle)
    router.add_api_route(
        f"{PATH}/{{token}}{path}", endpoint, methods=["GET"], operation_id=f"link_{name}", **documented
    )
    router.add_api_route(f"{PATH}/{{token}}{path}", endpoint, methods=["HEAD"], include_in_schema=False)


def _paged(handle: Handle) -> Handle:
    """Let tokens in whose signature is right, as often as any credential, and answer errors as pages."""

    async def endpoint(request: Request, token: str) -> Response:
        back = ""
        try:
            number = _read(request, token)
            back = token if request.method == "POST" else ""
            count_request(request, f"link:{hash_number(number).hex()}")
            return await handle(request, token)
        except ColdshelfError as error:
            if error.status >= 500:
                raise
            headers = {**PAGE_HEADERS, **error_headers(error)}
            way = back if error.status in {400, 403, 409} else ""
            return HTMLResponse(document(error_page(error, back=way)), error.status, headers)

    return endpoint


def _read(request: Request, token: str) -> bytes:
    """Read a token; a wrong one counts against its address, which a right one is never refused for."""
    try:
        return read_token(run_of(request).secret, token)
    except LinkWrong:
        address = request.client.host if request.client else ""
        failures = _wrong.of(run_of(request))
        failures.check(address)
        failures.count(address)
        raise


def _check_sender(request: Request) -> None:
    """Raise ForeignOrigin unless the page itself sends the form.

    Every browser says where a form comes from. Since the page has no referrer its Origin is `null`, and newer browsers
    say beside it that the site is the same. What says nothing is a program that tries out forms: it does nothing.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site not in {None, "same-origin"} or (origin is None and site is None):
        raise ForeignOrigin(cure=FROM_PAGE)
    if origin in {None, "null"}:
        return
    host, public = request.headers.get("host", ""), urlsplit(run_of(request).settings.public_base)
    own = {f"http://{host}", f"https://{host}", f"{public.scheme}://{public.netloc}"}
    if origin.lower() not in {one.lower() for one in own}:
        raise ForeignOrigin(cure=FROM_PAGE)


FROM_PAGE = "Open the link in a browser and use the buttons of its page."
_PAGE = {"content": {"text/html": {"schema": {"type": "string"}}}}
_REFUSALS: dict[int | str, Json] = {
    404: {"description": "The link is not right, whatever is wrong with it", **_PAGE},
    410: {"description": "The link has expired, was taken back or was used, or its record is gone", **_PAGE},
    429: {"description": "Too many requests by this link, or wrong links from this address; see Retry-After", **_PAGE},
}
SHOW: Json = {
    "summary": "The page of a link, for people without an account",
    "description": "It shows and changes nothing, whoever loads it. The token in the path is the protection.",
    "response_class": HTMLResponse,
    "responses": {200: {"description": "The page", **_PAGE}, **_REFUSALS},
}
LOOK: Json = {
    "summary": "The picture of a link's page",
    "description": "People are blurred; `original` is never served. `w` is its largest width.",
    "response_class": Response,
    "responses": {
        200: {"description": "The picture", "content": {"image/jpeg": {"schema": {"type": "string"}}}},
        400: {"description": "w is no whole number", **_PAGE},
        **_REFUSALS,
    },
    "openapi_extra": {
        "parameters": [{"name": "w", "in": "query", "required": False, "schema": {"type": "integer"}}],
    },
}
ACT: Json = {
    "summary": "Act by a link",
    "description": "The form of its page. The same action again changes nothing; another one is refused. What neither "
    "has an `Origin` of this server nor says `Sec-Fetch-Site: same-origin` is refused.",
    "response_class": Response,
    "status_code": SEE_OTHER,
    "responses": {
        SEE_OTHER: {"description": "Done; the page says what"},
        400: {"description": "The link does not do that, or something is missing", **_PAGE},
        403: {"description": "The form does not come from the page", **_PAGE},
        409: {"description": "It is decided already", **_PAGE},
        413: {"description": "The form is too large", **_PAGE},
        **_REFUSALS,
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "required": ["action"],
                        "properties": {"action": {"type": "string"}, "reason": {"type": "string"}},
                    }
                }
            },
        }
    },
}
