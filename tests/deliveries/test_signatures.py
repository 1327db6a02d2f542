"""Signatures of callbacks as received over HTTP, judged by the public packages of Standard Webhooks."""

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deliveries.conftest import Hook, Pushing
from tests.publishing.servers import REPOSITORY

PACKAGE = REPOSITORY / ".cache" / "npm" / "node_modules" / "standardwebhooks"
Message = tuple[str, dict[str, str], bytes]
"""Secret, headers and body."""
Judge = Callable[[Sequence[Message]], list[dict[str, Any] | None]]
"""Gives what each message was verified as, None where it was not."""


def by_python(messages: Sequence[Message]) -> list[dict[str, Any] | None]:
    webhooks = pytest.importorskip("standardwebhooks.webhooks", reason="the Python judge is not installed")

    def judged(secret: str, headers: dict[str, str], body: bytes) -> dict[str, Any] | None:
        try:
            return dict(webhooks.Webhook(secret).verify(body, headers))
        except webhooks.WebhookVerificationError:
            return None

    return [judged(*message) for message in messages]


def by_node(messages: Sequence[Message]) -> list[dict[str, Any] | None]:
    node = shutil.which("node")
    if node is None or not PACKAGE.exists():
        pytest.skip(f"the Node.js judge is not in {PACKAGE}: run .ci/servers (needs Node.js and npm)")
    told = [{"secret": secret, "headers": headers, "body": body.decode()} for secret, headers, body in messages]
    script = Path(__file__).with_name("verify.cjs")
    done = subprocess.run(
        [node, str(script), str(PACKAGE)], input=json.dumps(told).encode(), capture_output=True, check=True, timeout=60
    )
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("judge", [by_python, by_node])
async def test_public_packages_verify_what_arrives_through_two_changes_of_secret(
    push: Pushing, hook: Hook, judge: Judge
) -> None:
    first_day, second_day = datetime.now(UTC) - timedelta(days=1, seconds=1), datetime.now(UTC)
    push.clock.set(first_day)
    subscription = await push.subscribe(Name="Ours", Url=hook.seen.url)
    outlet = await push.outlet("L1", City="Zürich")
    old, middle = await _new_secret(push.http, subscription), await _new_secret(push.http, subscription)

    push.clock.set(second_day)  # the first secret has ended: a message is signed by the second alone
    await _sent(push, outlet)
    new = await _new_secret(push.http, subscription)  # and now by the second and the third
    await _sent(push, outlet)

    told = judge([(secret, *_received(hook, number)) for number in (0, 1) for secret in (old, middle, new)])
    assert [one is not None for one in told] == [False, True, False, False, True, True]
    assert {one["data"]["City"] for one in told if one} == {"Zürich"}
    assert [len(hook.headers(number)["webhook-signature"].split()) for number in (0, 1)] == [1, 2]


@pytest.mark.parametrize("judge", [by_python, by_node])
async def test_public_packages_refuse_what_was_altered(push: Pushing, hook: Hook, judge: Judge) -> None:
    subscription = await push.subscribe(Name="Ours", Url=hook.seen.url)
    secret = await _new_secret(push.http, subscription)
    await _sent(push, await push.outlet("L1"))
    headers, body = _received(hook, 0)
    later = str(int(headers["webhook-timestamp"]) + 1)

    told = judge(
        [
            (secret, headers, body),
            (secret, headers, body + b" "),
            (secret, headers, body.replace(b"L1", b"L2")),
            (secret, headers | {"webhook-id": f"{headers['webhook-id']}0"}, body),
            (secret, headers | {"webhook-timestamp": later}, body),
        ]
    )
    assert [one is not None for one in told] == [True, False, False, False, False]


async def _sent(push: Pushing, outlet: int) -> None:
    await push.happen(outlet)
    assert await push.deliver() == 1


def _received(hook: Hook, number: int) -> tuple[dict[str, str], bytes]:
    return hook.headers(number), hook.seen.bodies[number]


async def _new_secret(http: httpx.AsyncClient, subscription: int) -> str:
    answered = await http.post(f"/api/v1/subscriptions/{subscription}/secret")
    assert answered.status_code == 200, answered.text
    return str(answered.json()["Secret"])
