"""A server on this machine that answers as Twilio's API does by its documentation, magic numbers included.

https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/iam/test-credentials
"""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
from aiohttp import web

from coldshelf.deliveries.sms.text import segments_of

SID = "AC" + "0" * 32
TOKEN = "12345"
FROM = "+15005550006"
REFUSED = {
    "+15005550001": (21211, "The 'To' number +15005550001 is not a valid phone number."),
    "+15005550002": (21612, "The 'To' phone number: +15005550002, is not currently reachable using the 'From' number."),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region."),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "To number: +15005550009, is not a mobile number"),
}


@dataclass
class Twilio:
    """What it has taken. `house`: the address below which the application answers.

    `next_answers`: what comes before the usual ones, as (status, code, Retry-After).
    """

    port: int = 0
    house: str = ""
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    forms: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    next_answers: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def create(self, request: web.Request) -> web.Response:
        if not _is_signed_in(request):
            return _error(401, 20003, "Authenticate")
        form = dict(parse_qsl(await request.text(), keep_blank_values=True, strict_parsing=True))
        self.forms.append(form)
        if self.next_answers:
            status, code, wait = self.next_answers.pop(0)
            return _error(status, code, "Too Many Requests" if status == 429 else "Error", wait)
        if form["To"] in REFUSED:
            return _error(400, *REFUSED[form["To"]])
        if "From" not in form and "MessagingServiceSid" not in form:
            return _error(400, 21603, "A 'From' phone number is required.")
        if form.get("From", FROM) != FROM:
            return _error(400, 21606, "The 'From' phone number provided is not a valid message-capable number.")
        sid = f"SM{len(self.messages):032x}"
        self.messages[sid] = _message(sid, form)
        return web.json_response(self.messages[sid], status=201)

    async def fetch(self, request: web.Request) -> web.Response:
        if not _is_signed_in(request):
            return _error(401, 20003, "Authenticate")
        sid = request.match_info["sid"]
        self.asked.append(sid)
        if sid not in self.messages:
            return _error(404, 20404, "The requested resource was not found")
        return web.json_response(self.messages[sid])

    async def call(
        self, http: httpx.AsyncClient, url: str, form: dict[str, str], *, token: str = TOKEN, **headers: str
    ) -> httpx.Response:
        """Call back as Twilio does, signed; a proxy has taken the beginning of the address away."""
        content = url + "".join(f"{name}{form[name]}" for name in sorted(form))
        signature = base64.b64encode(hmac.new(token.encode(), content.encode(), hashlib.sha1).digest()).decode()
        path = url.removeprefix(self.house)
        return await http.post(path, data=form, headers={"X-Twilio-Signature": signature} | headers)

    async def tell(self, http: httpx.AsyncClient, sid: str, status: str, error_code: str = "") -> httpx.Response:
        """Tell the status of a message where it was asked to."""
        message = self.messages[sid]
        form = {
            "SmsSid": sid,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": message["to"],
            "MessageSid": sid,
            "AccountSid": SID,
            "From": FROM,
            "ApiVersion": "2010-04-01",
        }
        return await self.call(http, message["callback"], form | ({"ErrorCode": error_code} if error_code else {}))


def _message(sid: str, form: dict[str, str]) -> dict[str, Any]:
    return {
        "account_sid": SID,
        "api_version": "2010-04-01",
        "body": form["Body"],
        "date_created": "Thu, 26 Nov 2026 08:30:00 +0000",
        "date_sent": None,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": form.get("From"),
        "messaging_service_sid": form.get("MessagingServiceSid"),
        "num_media": "0",
        "num_segments": str(len(segments_of(form["Body"]))) if "From" in form else "0",
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "queued" if "From" in form else "accepted",
        "to": form["To"],
        "uri": f"/2010-04-01/Accounts/{SID}/Messages/{sid}.json",
        "callback": form.get("StatusCallback", ""),  # not Twilio's: where it was asked to tell
    }


def _is_signed_in(request: web.Request) -> bool:
    wanted = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    return request.match_info["account"] == SID and request.headers.get("Authorization") == f"Basic {wanted}"


async def _welcome(_: web.Request) -> web.Response:
    return web.Response(text="<html>Welcome</html>", content_type="text/html")


def _error(status: int, code: int, message: str, wait: str = "") -> web.Response:
    said = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
    headers = {"Retry-After": wait} if wait else {}
    return web.json_response(said | {"status": status}, status=status, headers=headers)


@asynccontextmanager
async def twilio_running() -> AsyncIterator[Twilio]:
    server = Twilio()
    app = web.Application()
    app.router.add_post("/elsewhere/{more:.*}", _welcome)
    base = "/2010-04-01/Accounts/{account}/Messages"
    app.add_routes([web.post(f"{base}.json", server.create), web.get(base + "/{sid}.json", server.fetch)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()
