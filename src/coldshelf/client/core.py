"""What is asked and how often, without a network: the one core of the synchronous and the asynchronous client.

A use case is a generator. It yields a Call and gets its Reply (or Broken), yields a Wait and gets nothing, yields an
Emit to hand something to who iterates, and returns its result. `transport` drives it, with or without await.
"""

import json
import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import uuid4

from coldshelf.client.errors import BY_STATUS, NoAnswer, Refused, ServerFailed, ShelfError

T = TypeVar("T")
R = TypeVar("R")
Json = Any  # whatever JSON says
KEY = "Idempotency-Key"
_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class File:
    """A file to send: the name of its form field, its own name, and its bytes."""

    field: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: `body` as JSON, `form` and `files` as a form, or `content` as it is.

    A good answer goes into `sink` if there is one.
    """

    path: str
    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    form: tuple[tuple[str, str], ...] = ()
    files: tuple[File, ...] = ()
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    sink: Path | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def request_id(self) -> str:
        return self.headers.get("x-request-id", "")

    def json(self) -> Json:
        """Read the body; raise ServerFailed when it is no JSON: something in between answered."""
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise ServerFailed(
                "the answer is no JSON: is this the address of a Coldshelf?",
                status=self.status,
                request_id=self.request_id,
            ) from error


@dataclass(frozen=True, slots=True)
class Broken:
    """Nothing came back, or not all of it."""

    words: str


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause before what comes next."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Emit(Generic[T]):
    """Something for who iterates."""

    item: T


Outcome = Reply | Broken | None
Steps = Generator[Call | Wait, Outcome, R]
Stream = Generator[Call | Wait | Emit[T], Outcome, None]
Ask = Callable[[Call], Steps[Reply]]
"""Makes a call, again where that helps, and gives a good reply or raises."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How a call is repeated: `tries` in all, with pauses at random below bounds that double.

    The bounds begin with `first` seconds and end with `longest`. A server that says how long to wait (`Retry-After`) is
    never asked earlier; one that wants more than `patience` seconds is given up at once.
    """

    tries: int = 5
    first: float = 0.5
    longest: float = 30.0
    patience: float = 120.0

    def pause(self, failure: ShelfError, attempt: int) -> float | None:
        """Give the seconds until the next try; None when there is none."""
        if attempt >= self.tries or not failure.may_be_repeated:
            return None
        if failure.retry_after is None:
            return _random.uniform(0, min(self.longest, self.first * 2 ** (attempt - 1)))
        if failure.retry_after > self.patience:
            return None
        return failure.retry_after + _random.uniform(0, self.first)


def ask(retries: Retries, call: Call) -> Steps[Reply]:
    """Make a call until it succeeds or repeating it does not help."""
    for attempt in count(1):
        outcome = yield call
        failure = _failure(outcome)
        if failure is None and isinstance(outcome, Reply):
            return outcome
        failure = failure or NoAnswer("nothing came back")
        pause = retries.pause(failure, attempt)
        if pause is None:
            raise failure
        yield Wait(pause)
    raise AssertionError  # count() does not end


def new_key() -> str:
    """Make an Idempotency-Key."""
    return uuid4().hex


def good_json(reply: Reply) -> Json:
    """Read the JSON of a handler; raise Refused for a business error, which comes with HTTP 200."""
    body = reply.json()
    if isinstance(body, dict) and body.get("success") is False:
        raise Refused(str(body.get("info", "refused")), status=reply.status, request_id=reply.request_id)
    return body


def _failure(outcome: Outcome) -> ShelfError | None:
    if isinstance(outcome, Broken):
        return NoAnswer(outcome.words)
    if outcome is None or outcome.status < 400:
        return None
    kind = BY_STATUS.get(outcome.status, ServerFailed if outcome.status >= 500 else Refused)
    info, code = _words(outcome)
    return kind(
        info,
        status=outcome.status,
        code=code,
        request_id=outcome.request_id,
        retry_after=_retry_after(outcome.headers.get("retry-after")),
    )


def _words(reply: Reply) -> tuple[str, str]:
    """Give what an error says, and its code: the contract's object or array, or a problem document."""
    try:
        body = json.loads(reply.content)
    except ValueError:
        return f"the server answered {reply.status}", ""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return f"the server answered {reply.status}", ""
    info = body.get("info") or body.get("Info") or body.get("detail") or f"the server answered {reply.status}"
    cure = f" {body['cure']}" if body.get("cure") else ""
    return f"{info}{cure}", str(body.get("code") or "")


def _retry_after(value: str | None) -> float | None:
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
