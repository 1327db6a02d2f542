"""How often and when a call is repeated, and what its errors say: no network."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from functools import partial
from inspect import signature
from typing import Any

import pytest

from coldshelf.client import (
    AsyncClient,
    Client,
    Conflict,
    Gone,
    KeyReused,
    NoAnswer,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refused,
    Retries,
    ServerFailed,
    ShelfError,
    TooLarge,
    TooManyRequests,
)
from coldshelf.client.core import Broken, Call, Outcome, Reply, Steps, Wait, ask
from coldshelf.client.lists import moment, wanted_of
from coldshelf.client.pictures import preview

CALL = Call(path="/x")
OK = Reply(200, {}, b"{}")


def played(retries: Retries, *outcomes: Outcome) -> tuple[list[float], Reply | ShelfError]:
    """Play a call with these outcomes; give the pauses, and what it ended with."""
    return driven(ask(retries, CALL), *outcomes)


def driven(steps: Steps[Any], *outcomes: Outcome) -> tuple[list[float], Any]:
    """Drive a use case."""
    pauses, left, outcome = [], list(outcomes), None
    try:
        while True:
            step = steps.send(outcome)
            outcome = None
            if isinstance(step, Wait):
                pauses.append(step.seconds)
            else:
                outcome = left.pop(0)
    except StopIteration as end:
        assert left == []
        return pauses, end.value
    except ShelfError as error:
        assert left == []
        return pauses, error


def failed(status: int, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_pauses_stay_below_bounds_that_double() -> None:
    for _ in range(200):
        pauses, end = played(Retries(tries=6, first=1.0, longest=4.0), *[Broken("broke")] * 5, OK)

        assert end is OK
        assert all(0 <= pause <= bound for pause, bound in zip(pauses, [1, 2, 4, 4, 4], strict=True))


def test_pauses_differ_from_each_other() -> None:
    first = {played(Retries(), Broken("broke"), OK)[0][0] for _ in range(20)}

    assert len(first) == 20


def test_server_that_says_how_long_to_wait_is_never_asked_earlier() -> None:
    for _ in range(200):
        (pause,), end = played(Retries(first=0.5), failed(429, retry_after="7"), OK)

        assert end is OK
        assert 7.0 <= pause <= 7.5


def test_retry_after_is_read_as_a_date_as_well() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)

    (pause,), _ = played(Retries(first=0.5), failed(503, retry_after=later), OK)

    assert 45 <= pause <= 50.5


def test_server_that_wants_more_than_the_patience_is_given_up_at_once() -> None:
    pauses, end = played(Retries(patience=60), failed(429, retry_after="61"))

    assert pauses == []
    assert isinstance(end, TooManyRequests)
    assert end.retry_after == 61


def test_after_the_last_try_the_error_is_raised() -> None:
    pauses, end = played(Retries(tries=3), *[Broken("the line broke")] * 3)

    assert len(pauses) == 2
    assert (type(end), str(end)) == (NoAnswer, "the line broke")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422, 500])
def test_what_repeating_does_not_help_is_not_repeated(status: int) -> None:
    assert played(Retries(), failed(status))[0] == []


@pytest.mark.parametrize("reply", [failed(409, retry_after="2"), failed(429), failed(502), failed(503), failed(504)])
def test_what_may_pass_is_repeated(reply: Reply) -> None:
    pauses, end = played(Retries(), reply, OK)

    assert (len(pauses), end) == (1, OK)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, Refused, "refused"),
        (401, NotSignedIn, "not_signed_in"),
        (403, NotAllowed, "not_allowed"),
        (404, NotFound, "not_found"),
        (409, Conflict, "conflict"),
        (410, Gone, "gone"),
        (413, TooLarge, "too_large"),
        (422, KeyReused, "key_reused"),
        (429, TooManyRequests, "too_many_requests"),
        (500, ServerFailed, "server_failed"),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[ShelfError], code: str) -> None:
    _, error = played(Retries(tries=1), failed(status, b'{"success":false,"info":"why"}', x_request_id="r1"))

    assert isinstance(error, kind)
    assert (error.code, error.info, error.status, error.request_id) == (code, "why", status, "r1")
    assert str(error) == f"why (HTTP {status}, request r1)"


@pytest.mark.parametrize(
    ("body", "info", "code"),
    [
        (b'[{"Success":false,"Info":"Too large"}]', "Too large", "too_large"),
        (b'{"detail":"No page","code":"path_not_found","cure":"Look again."}', "No page Look again.", "path_not_found"),
        (b"<html>", "the server answered 413", "too_large"),
        (b"[]", "the server answered 413", "too_large"),
    ],
)  # fmt: skip
def test_every_shape_of_an_error_is_read(body: bytes, info: str, code: str) -> None:
    _, error = played(Retries(), failed(413, body))

    assert isinstance(error, ShelfError)
    assert (error.info, error.code) == (info, code)


def test_times_are_written_in_utc_without_a_zone() -> None:
    there = datetime(2026, 3, 1, 7, 0, 0, 5, timezone(timedelta(hours=7)))

    assert moment(there) == "2026-03-01T00:00:00.000005"
    assert moment(datetime(2026, 3, 1)) == "2026-03-01T00:00:00.000000"  # noqa: DTZ001  # naive means UTC
    assert moment("2026-03-01T00:00:00.000001") == "2026-03-01T00:00:00.000001"


def test_filters_are_written_in_the_published_grammar() -> None:
    filters = {"City": "Bangkok", "StatusId": [1, 2], "Name": {"operator": "LIKE", "value": "a"}}

    wanted = wanted_of("Location", filters, {"modified_since": "2026-01-01", "sort": "Name", "descending": True})

    assert wanted.parameters() == {
        "filters": '{"City": {"operator": "=", "value": "Bangkok"}, "StatusId": {"operator": "IN", "value": [1, 2]},'
        ' "Name": {"operator": "LIKE", "value": "a"}, "ModifiedOn": {"operator": ">=", "value": "2026-01-01"}}',
        "sort": "Name",
        "dir": "DESC",
    }


@pytest.mark.parametrize(
    "options",
    [{}, {"user": "a"}, {"password": "a"}, {"user": "a", "password": "b", "token": "c"}],
)
def test_exactly_one_way_to_sign_in_is_given(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either user and password, or token"):
        Client("https://shelf.example", **options)


def test_address_is_absolute() -> None:
    with pytest.raises(ValueError, match="give the address as https://host"):
        Client("shelf.example", token="t")


def test_both_kinds_offer_the_same() -> None:
    def offered(kind: type) -> dict[str, list[str]]:
        names = (name.replace("aclose", "close") for name in vars(kind) if not name.startswith("_"))
        return {name: list(signature(getattr(kind, name, kind)).parameters) for name in names}

    both = offered(Client), offered(AsyncClient)

    assert both[0].keys() == both[1].keys()
    assert {name: value for name, value in both[0].items() if name != "close"} == {
        name: value for name, value in both[1].items() if name != "close"
    }


def test_client_needs_nothing_of_the_server() -> None:
    heavy = "aiohttp asyncpg cv2 fastapi numpy onnxruntime orjson pandas polars pyarrow pydantic sqlalchemy structlog"
    program = (
        "import sys, coldshelf.client\n"
        f"heavy = set({heavy.split()}) & set(sys.modules)\n"
        "ours = sorted(n for n in sys.modules if n.startswith('coldshelf.') and not n.startswith('coldshelf.client'))\n"
        "print(sorted(heavy), ours)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[] []\n"


def shown(wait: float, *outcomes: Outcome) -> tuple[list[float], Any]:
    return driven(preview(partial(ask, Retries()), "guid", kind="Stitched", max_width=None, wait=wait), *outcomes)


def test_picture_that_is_not_ready_is_waited_for_as_long_as_the_server_says() -> None:
    assert shown(12, failed(404, retry_after="5"), failed(404, retry_after="7"), OK) == ([5.0, 7.0], b"{}")


def test_picture_that_does_not_come_in_time_is_not_found() -> None:
    pauses, end = shown(11, failed(404, retry_after="5"), failed(404, retry_after="7"))

    assert (pauses, type(end)) == ([5.0], NotFound)


def test_picture_that_is_not_there_is_not_waited_for() -> None:
    pauses, end = shown(60, failed(404))

    assert (pauses, type(end)) == ([], NotFound)
