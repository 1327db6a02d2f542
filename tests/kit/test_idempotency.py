import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import IdempotencyKeyReused, InputInvalid, RequestInFlight
from coldshelf.kit.idempotency import (
    AnswerMissing,
    RequestKey,
    StoredAnswer,
    claim,
    forget_old,
    hash_request,
    in_turn,
    keep,
)
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime

LONG = timedelta(seconds=20)
SHORT = timedelta(milliseconds=150)


@pytest.fixture
def request_key(client_id: ClientId) -> RequestKey:
    return RequestKey(client_id, UserId(1), "key 1", hash_request(b"one"))


async def act(connection: Connection, request: RequestKey) -> None:
    """An effect that can be counted."""
    await connection.execute(
        "INSERT INTO list_position (client_id, pull, next_start, last_id)"
        " SELECT $1, $2, count(*), 0 FROM list_position",
        request.client_id,
        request.key.encode(),
    )


async def effects(run: Runtime, request: RequestKey) -> int:
    async with run.database.scope(request.client_id) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM list_position"))


async def answer_once(run: Runtime, request: RequestKey, *, turns: bool = True) -> bytes:
    if turns:
        async with in_turn(run, request):
            return await answer_once(run, request, turns=False)
    async with run.database.scope(request.client_id) as connection:
        stored = await claim(connection, request, wait=LONG)
        if stored is not None:
            return b"stored " + stored.body
        await act(connection, request)
        await asyncio.sleep(0.01)
        await keep(connection, request, status=200, body=b"answer")
        return b"answer"


@pytest.mark.parametrize("turns", [True, False], ids=["in turn", "database alone"])
async def test_200_requests_at_once_have_one_effect_and_one_answer(
    run: Runtime, request_key: RequestKey, turns: bool
) -> None:
    answers = await asyncio.gather(*(answer_once(run, request_key, turns=turns) for _ in range(200)))

    assert sorted(answers) == [b"answer", *[b"stored answer"] * 199]
    assert await effects(run, request_key) == 1


async def test_stored_answer_comes_back_as_it_was(run: Runtime, request_key: RequestKey) -> None:
    async with run.database.scope(request_key.client_id) as connection:
        assert await claim(connection, request_key, wait=LONG) is None
        await keep(connection, request_key, status=201, body=b'{"id": 7}')

    async with run.database.scope(request_key.client_id) as connection:
        assert await claim(connection, request_key, wait=LONG) == StoredAnswer(201, b'{"id": 7}')


async def test_other_content_under_the_same_key_is_refused(run: Runtime, request_key: RequestKey) -> None:
    await answer_once(run, request_key)

    other = RequestKey(request_key.client_id, request_key.user_id, request_key.key, hash_request(b"two"))
    with pytest.raises(IdempotencyKeyReused):
        await answer_once(run, other)
    assert await effects(run, request_key) == 1


async def test_same_key_of_another_user_is_another_request(run: Runtime, request_key: RequestKey) -> None:
    other = RequestKey(request_key.client_id, UserId(2), request_key.key, request_key.request_hash)

    assert await answer_once(run, request_key) == b"answer"
    assert await answer_once(run, other) == b"answer"


async def test_waiter_becomes_the_first_when_the_first_rolls_back(run: Runtime, request_key: RequestKey) -> None:
    claimed = asyncio.Event()

    async def fail() -> None:
        async with run.database.scope(request_key.client_id) as connection:
            assert await claim(connection, request_key, wait=LONG) is None
            await act(connection, request_key)
            claimed.set()
            await asyncio.sleep(0.2)
            raise ZeroDivisionError

    failing = asyncio.create_task(fail())
    await claimed.wait()
    answers = await asyncio.gather(*(answer_once(run, request_key, turns=False) for _ in range(5)))

    with pytest.raises(ZeroDivisionError):
        await failing
    assert sorted(answers) == [b"answer", *[b"stored answer"] * 4]
    assert await effects(run, request_key) == 1


async def test_wait_for_the_first_is_bounded(run: Runtime, request_key: RequestKey) -> None:
    async with run.database.scope(request_key.client_id) as first:
        assert await claim(first, request_key, wait=LONG) is None
        began = time.monotonic()

        with pytest.raises(RequestInFlight):
            async with run.database.scope(request_key.client_id) as second:
                await claim(second, request_key, wait=SHORT)

        assert 0.1 < time.monotonic() - began < 5
        await keep(first, request_key, status=200, body=b"")


async def test_claim_leaves_no_lock_timeout_behind(run: Runtime, request_key: RequestKey) -> None:
    async with run.database.scope(request_key.client_id) as connection:
        await claim(connection, request_key, wait=SHORT)

        assert await connection.fetchval("SHOW lock_timeout") == "0"


async def test_turn_is_bounded_too(run: Runtime, request_key: RequestKey) -> None:
    run = replace(run, settings=run.settings.model_copy(update={"idempotency_wait": SHORT}))

    async with in_turn(run, request_key):
        with pytest.raises(RequestInFlight):
            async with in_turn(run, request_key):
                pytest.fail("two at once")


async def test_claim_without_an_answer_never_runs_twice(run: Runtime, request_key: RequestKey) -> None:
    async with run.database.scope(request_key.client_id) as connection:
        assert await claim(connection, request_key, wait=LONG) is None

    with pytest.raises(AnswerMissing):
        async with run.database.scope(request_key.client_id) as connection:
            await claim(connection, request_key, wait=LONG)


async def test_keep_without_a_claim_is_a_fault(run: Runtime, request_key: RequestKey) -> None:
    async with run.database.scope(request_key.client_id) as connection:
        with pytest.raises(ValueError):
            await keep(connection, request_key, status=200, body=b"")


async def age(run: Runtime) -> None:
    async with run.database.system() as connection:
        await connection.execute("UPDATE idempotency SET created_on = created_on - interval '25 hours'")


async def test_key_is_free_again_after_a_day_for_one_of_many(run: Runtime, request_key: RequestKey) -> None:
    await answer_once(run, request_key)
    await age(run)

    other = RequestKey(request_key.client_id, request_key.user_id, request_key.key, hash_request(b"two"))
    answers = await asyncio.gather(*(answer_once(run, other, turns=False) for _ in range(20)))

    assert sorted(answers) == [b"answer", *[b"stored answer"] * 19]
    assert await effects(run, request_key) == 2


async def test_sweep_forgets_what_is_older_than_a_day(run: Runtime, request_key: RequestKey) -> None:
    await answer_once(run, request_key)
    await age(run)
    young = RequestKey(request_key.client_id, request_key.user_id, "key 2", request_key.request_hash)
    await answer_once(run, young)

    async with run.database.system() as connection:
        assert await forget_old(connection) == 1
        assert await connection.fetchval("SELECT array_agg(key) FROM idempotency") == ["key 2"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "ü"])
def test_key_of_wrong_form_is_refused(key: str) -> None:
    with pytest.raises(InputInvalid):
        RequestKey(ClientId(1), UserId(1), key, b"")


def test_hash_tells_parts_apart() -> None:
    assert hash_request(b"ab", b"c") != hash_request(b"a", b"bc")
