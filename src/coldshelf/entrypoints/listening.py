"""Receives a client's events over the API and forwards them signed, as callbacks would come: for a developer's machine.

It asks, the server answers: nothing here needs a public address.
"""

import base64
import binascii
import ipaddress
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from coldshelf.kit.errors import ColdshelfError, InputInvalid
from coldshelf.kit.signing import PREFIX, signed_headers

STREAM = "/api/v1/events/stream"
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before the connection is tried again, for the first, second … time in a row."""
BREATH = 0.2
"""Seconds between a stream that ended in its time and the next one."""
QUIET = 45.0
"""Seconds without a sign of life after which a connection is given up; the server gives one every 15."""
WITHIN = 15.0
"""Seconds that the receiver has to answer, as for callbacks."""
PASSING = frozenset({408, 429, 500, 502, 503, 504})
GONE = 410


class ListenRefused(ColdshelfError):
    """The server does not tell its events"""

    code = "listen_refused"


@dataclass(slots=True)
class Frame:
    """One server-sent event: its id, its fields, and the body; without a body a sign of life."""

    id: str = ""
    event: str = ""
    data: str = ""
    is_triggered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one event. `status` None: it was only shown, or nobody answered, as `error` says."""

    type: str
    id: str
    body: bytes
    milliseconds: int = 0
    status: int | None = None
    error: str = ""

    @property
    def arrived(self) -> bool:
        return not self.error and (self.status is None or 200 <= self.status < 300)


@dataclass(slots=True, kw_only=True)
class Listener:
    """Follows one server; `show` gets every event, `say` what happens to the connection."""

    server: httpx.Client
    forward_to: str
    secret: str
    events: str
    show: Callable[[Told], None]
    say: Callable[[str], None]
    pauses: Iterable[float] = PAUSES
    arrived: int = 0
    failed: int = 0
    _after: str = field(default="", init=False)
    _misses: int = field(default=0, init=False)

    def run(self, most: int = 0) -> None:
        """Follow until so many events came, 0: for ever. A lost connection goes on where it was.

        Raises ListenRefused when the server will not tell.
        """
        with httpx.Client(timeout=WITHIN, trust_env=False) as receiver:
            while True:
                for frame in self._frames():
                    if frame.data:
                        self._hand_on(receiver, frame)
                        if most and self.arrived + self.failed >= most:
                            return
                    self._after = frame.id or self._after

    def _frames(self) -> Iterator[Frame]:
        """Give the frames of one connection; whatever ends it is said."""
        asked = {"events": self.events, "after": self._after}
        try:
            with self.server.stream("GET", STREAM, params=asked, timeout=httpx.Timeout(WITHIN, read=QUIET)) as answer:
                if answer.status_code == 200:
                    for frame in read_frames(answer.iter_lines()):
                        if self._misses:
                            self.say("Connected again")
                        self._misses = 0
                        yield frame
                    time.sleep(BREATH)
                    return
                answer.read()
                why = self._refusal(answer)
        except httpx.TransportError as error:
            why = f"{type(error).__name__} {error}".strip()
        self._wait(why)

    def _refusal(self, answer: httpx.Response) -> str:
        """Say why there is no stream; raise ListenRefused when there will not be one."""
        problem = _problem(answer)
        if answer.status_code == GONE:
            self._after = ""
            return "The server does not know the place any more: it goes on with what comes from now on"
        if answer.status_code not in PASSING:
            raise ListenRefused(
                f"{problem.get('detail') or answer.text[:200]} ({answer.status_code})",
                cure=problem.get("cure") or "Check --url, --user and --password.",
            )
        return f"{answer.status_code} {problem.get('detail', '')}".strip()

    def _wait(self, why: str) -> None:
        pauses = list(self.pauses)
        pause = pauses[min(self._misses, len(pauses) - 1)]
        self._misses += 1
        self.say(f"{why}; again in {pause:g} s")
        time.sleep(pause)

    def _hand_on(self, receiver: httpx.Client, frame: Frame) -> None:
        body = frame.data.encode()
        message_id = str(orjson.loads(body)["id"])
        told = Told(type=frame.event, id=message_id, body=body)
        if self.forward_to:
            told = self._forward(receiver, told, is_triggered=frame.is_triggered)
        self.arrived += told.arrived
        self.failed += not told.arrived
        self.show(told)

    def _forward(self, receiver: httpx.Client, told: Told, *, is_triggered: bool) -> Told:
        headers = {
            "content-type": "application/json",
            "coldshelf-event": told.type,
            "coldshelf-attempt": "1",
            **({"coldshelf-trigger": "1"} if is_triggered else {}),
            **signed_headers([self.secret], told.id, datetime.now(UTC), told.body),
        }
        began, status, error = time.monotonic(), None, ""
        try:
            status = receiver.post(self.forward_to, content=told.body, headers=headers).status_code
        except httpx.HTTPError as failure:
            error = f"{type(failure).__name__} {failure}".strip()
        took = round((time.monotonic() - began) * 1000)
        return Told(type=told.type, id=told.id, body=told.body, milliseconds=took, status=status, error=error)


def read_frames(lines: Iterable[str]) -> Iterator[Frame]:
    """Read server-sent events; what is cut off at the end is left out."""
    frame = Frame()
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "" if not line:
                yield frame
                frame = Frame()
            case "id":
                frame.id = value
            case "event":
                frame.event = value
            case "data":
                frame.data += value
            case "trigger":
                frame.is_triggered = True


def check_target(url: str) -> None:
    """Raise InputInvalid unless it can be forwarded to: https, or plain http on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not _is_here(parts.hostname or ""):
        raise InputInvalid(f"--forward-to {url}: it takes http:// on this machine, or https://")


def check_secret(secret: str) -> None:
    """Raise InputInvalid unless it can sign."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not key:
        raise InputInvalid(f"--secret takes {PREFIX} and base64")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _problem(answer: httpx.Response) -> dict[str, Any]:  # a problem document
    try:
        found = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
