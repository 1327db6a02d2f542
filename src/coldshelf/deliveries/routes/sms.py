"""What Twilio tells: what became of messages, and what people text back. Its signature is the sign-in."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from coldshelf.deliveries.errors import CallNotSigned
from coldshelf.deliveries.messages.addresses import is_phone
from coldshelf.deliveries.sms.service import INBOUND_PATH, STATUS_PATH, take_report, take_word
from coldshelf.deliveries.sms.twilio import is_signed, read_form, read_status, word_of
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.ids import ClientId
from coldshelf.kit.web.openapi import problems
from coldshelf.kit.web.params import LARGEST_INTEGER, read_body
from coldshelf.kit.web.request import run_of

SIGNATURE = "X-Twilio-Signature"
LARGEST_CALL = 64 * 1024
SILENCE = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
"""TwiML that answers nothing: Twilio answers STOP, START and HELP itself."""
Id = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]
Form = list[tuple[str, str]]
router = APIRouter(tags=["SMS"])


def _form_of(*names: str) -> dict[str, Any]:  # a part of an OpenAPI document
    """Describe a form that Twilio posts, and the header that signs it."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    header = {"name": SIGNATURE, "in": "header", "required": True, "schema": {"type": "string"}}
    return {
        "parameters": [header],
        "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": schema}}, "required": True},
    }


@router.post(
    STATUS_PATH + "/{client_id}/{delivery_id}",
    status_code=204,
    response_class=Response,
    operation_id="sms_status",
    summary="Take what became of an SMS",
    description="Called by Twilio, for as long as it reports on a message; signed by it.",
    responses=problems(400, 403, 413),
    openapi_extra=_form_of("MessageSid", "MessageStatus", "ErrorCode"),
)
async def status(request: Request, client_id: Id, delivery_id: Id) -> Response:
    report = read_status(await _signed_form(request))
    if report is not None:
        await take_report(run_of(request), ClientId(client_id), delivery_id, report)
    return Response(status_code=204)


@router.post(
    INBOUND_PATH,
    response_class=Response,
    operation_id="sms_inbound",
    summary="Take what somebody texts back",
    description="Called by Twilio and signed by it. STOP ends the SMS of all clients that have written to the number, "
    "START lets them begin again.",
    responses={**problems(400, 403, 413), 200: {"description": "Empty TwiML", "content": {"text/xml": {}}}},
    openapi_extra=_form_of("From", "Body"),
)
async def inbound(request: Request) -> Response:
    said = dict(await _signed_form(request))
    phone, text = said.get("From", ""), said.get("Body", "")
    word = word_of(text)
    if word is not None and is_phone(phone):
        await take_word(run_of(request), phone, word, text)
    return Response(SILENCE, media_type="text/xml")


async def _signed_form(request: Request) -> Form:
    """Read what Twilio sent; raise CallNotSigned unless it has signed it for this installation's own address."""
    settings = run_of(request).settings
    body = await read_body(request, limit=LARGEST_CALL)
    try:
        form = read_form(body)
    except ValueError as error:
        raise InputInvalid("The body is no form") from error
    token, base = settings.sms_auth_token, settings.public_url.rstrip("/")
    query = f"?{request.url.query}" if request.url.query else ""
    given = request.headers.get(SIGNATURE, "")
    if token is None or not base:
        raise CallNotSigned
    if not is_signed(token.get_secret_value(), f"{base}{request.url.path}{query}", form, given):
        raise CallNotSigned
    return form
