"""The Login handler of the contract."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from coldshelf.access.service import COOKIE_LIFE, make_cookie, sign_in_password
from coldshelf.access.web import COOKIE, check_sender
from coldshelf.kit.errors import ColdshelfError, NotSignedIn, TooManyRequests
from coldshelf.kit.web.errors import error_headers
from coldshelf.kit.web.params import read_form
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
