"""Twilio's words: what is asked of its REST API, what its answers mean, and how its own calls are signed. Pure.

https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/usage/security
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import orjson

from coldshelf.deliveries.models import Answer, State, Verdict

SERVICE = "MG"
"""What the id of a messaging service begins with, which chooses the sender by itself."""
OPTED_OUT = 21610
CURES = {
    OPTED_OUT: "The receiver has opted out; it gets no SMS until it texts START",
    21211: "This is no phone number. Correct that of the user: +, country, number",
    21408: "SMS to this country are not switched on. Twilio console: Messaging, Geo permissions",
    21612: "The sender cannot reach this number. Give COLDSHELF_SMS_FROM another sender, or a messaging service",
    21614: "This is no mobile phone. Give the user a mobile number",
    30003: "The phone is switched off or cannot be reached",
    30004: "The receiver blocks messages of this sender",
    30005: "The number is unknown. Correct that of the user",
    30006: "This is a landline, or its carrier takes no SMS. Give the user a mobile number",
    30007: "The carrier has filtered the message. Look at the sender's registration in the Twilio console",
    30008: "The carrier did not say why it was not delivered",
}
OPERATORS = {
    20003: "Check COLDSHELF_SMS_ACCOUNT_SID and COLDSHELF_SMS_AUTH_TOKEN",
    20404: "Check COLDSHELF_SMS_ACCOUNT_SID",
    21212: "Check COLDSHELF_SMS_FROM",
    21603: "Set COLDSHELF_SMS_FROM",
    21606: "COLDSHELF_SMS_FROM is no number of this account that sends SMS",
    21701: "COLDSHELF_SMS_FROM is no messaging service of this account",
}
"""What the operator can set right meanwhile: those are tried again."""
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
START = frozenset({"START", "YES", "UNSTOP"})
HELP = frozenset({"HELP", "INFO"})


class Status(StrEnum):
    """Where Twilio says that a message is."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELED = "canceled"


ENDED = frozenset({Status.DELIVERED, Status.READ, Status.UNDELIVERED, Status.FAILED, Status.CANCELED})
LOST = frozenset({Status.UNDELIVERED, Status.FAILED, Status.CANCELED})
ON_THE_WAY = (Status.ACCEPTED, Status.SCHEDULED, Status.QUEUED, Status.SENDING, Status.SENT)
"""In this order; calls about them may come in any."""


class Word(StrEnum):
    """What somebody wants who texts back."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The operator's account; `base` is the address of the API."""

    sid: str
    token: str
    base: str

    @property
    def messages_url(self) -> str:
        return f"{self.base.rstrip('/')}/2010-04-01/Accounts/{quote(self.sid)}/Messages"

    @property
    def headers(self) -> dict[str, str]:
        basic = base64.b64encode(f"{self.sid}:{self.token}".encode()).decode()
        return {"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What Twilio says of one message. `price` is what it costs, None while that is not known."""

    sid: str
    status: Status
    segments: int | None = None
    error_code: int | None = None
    price: Decimal | None = None
    currency: str = ""


def message_form(sender: str, to: str, text: str, status_callback: str) -> bytes:
    """Write the form that sends a text."""
    form = {"To": to, "MessagingServiceSid" if sender.startswith(SERVICE) else "From": sender, "Body": text}
    return urlencode(form | ({"StatusCallback": status_callback} if status_callback else {})).encode()


def read_report(text: str) -> Report | None:
    """Read a message of the API; None where it is none."""
    found = _object(text)
    status = str(found.get("status", ""))
    if not isinstance(found.get("sid"), str) or status not in set(Status):
        return None
    return Report(
        sid=found["sid"],
        status=Status(status),
        segments=_whole(found.get("num_segments")),
        error_code=_whole(found.get("error_code")),
        price=_price(found.get("price")),
        currency=str(found.get("price_unit") or "").upper()[:3],
    )


def read_status(form: Sequence[tuple[str, str]]) -> Report | None:
    """Read a status callback; None where it says nothing of a message."""
    said = dict(form)
    status = said.get("MessageStatus") or said.get("SmsStatus") or ""
    sid = said.get("MessageSid") or said.get("SmsSid") or ""
    if not sid or status not in set(Status):
        return None
    return Report(sid=sid[:64], status=Status(status), error_code=_whole(said.get("ErrorCode")))


def text_of(form: bytes) -> str:
    """Give the text that a form sends."""
    return dict(read_form(form)).get("Body", "")


def read_form(body: bytes) -> list[tuple[str, str]]:
    """Read the parameters of a call; raise ValueError for what is no form."""
    return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200)


def error_code(text: str) -> int | None:
    """Give the code of an answer that is an error."""
    return _whole(_object(text).get("code"))


def judge(answer: Answer, plain: Verdict) -> Verdict:
    """Say what an answer to a message means; `plain` is what its status means to every channel.

    A refusal of the message ends it; what the operator or time may cure is tried again.
    """
    if plain.state is State.DELIVERED:
        return plain
    code = error_code(answer.text)
    is_refused = answer.status == 400 and code not in OPERATORS
    said = str(_object(answer.text).get("message") or f"Status {answer.status}")[:300]
    return Verdict(
        state=State.FAILED if is_refused else State.WAITING,
        error=worded(code, said),
        again_after=plain.again_after,
    )


def worded(code: int | None, said: str = "") -> str:
    """Word an error by its code, with what helps where that is known."""
    cure = CURES.get(code or 0) or OPERATORS.get(code or 0, "")
    return ": ".join(part for part in (f"Twilio {code}" if code else "Twilio", cure or said) if part)


def word_of(text: str) -> Word | None:
    """Read the one word of a text that means something, in any case and with a mark behind it."""
    word = text.strip().rstrip(".!").upper()
    return Word.STOP if word in STOP else Word.START if word in START else Word.HELP if word in HELP else None


def signature(token: str, url: str, form: Sequence[tuple[str, str]]) -> str:
    """Sign a call: its address, then each parameter's name and values in their order, by HMAC-SHA1."""
    content = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.digest(token.encode(), content.encode(), hashlib.sha1)).decode()


def is_signed(token: str, url: str, form: Sequence[tuple[str, str]], given: str) -> bool:
    """Say whether a call is Twilio's own; it signs some addresses with their port and some without."""
    return any(
        hmac.compare_digest(signature(token, one, form).encode(), given.encode())
        for one in (url, _with_port(url), _without_port(url))
    )


def _with_port(url: str) -> str:
    parts = urlsplit(url)
    port = 443 if parts.scheme == "https" else 80
    return url if parts.port else urlunsplit(parts._replace(netloc=f"{parts.netloc}:{port}"))


def _without_port(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.removesuffix(f":{parts.port}")))


def _object(text: str) -> dict[str, Any]:  # a JSON object of Twilio's
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _price(value: object) -> Decimal | None:
    """Read a price, which Twilio tells as what leaves the account: below zero."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return abs(found) if found.is_finite() and abs(found) < 1_000_000 else None
