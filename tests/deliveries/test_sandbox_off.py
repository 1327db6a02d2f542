"""Where nothing is a sandbox, messages leave and nothing can be switched."""

from tests.deliveries.conftest import Hook, Pushing


async def test_nothing_is_kept_and_nothing_is_switched(push: Pushing, hook: Hook) -> None:
    await push.subscribe(Name="Ours", Url=hook.seen.url)
    await push.happen(await push.outlet("L1"))

    await push.deliver()
    refused = await push.http.put("/api/v1/outbox/switches", json={"callback": "500"})

    assert len(hook.messages) == 1
    assert (await push.http.get("/api/v1/outbox")).json()["data"] == []
    assert (refused.status_code, refused.json()["code"]) == (409, "sandbox_off")
    assert (await push.http.get("/api/v1/outbox/switches")).json()["Sandbox"] is False
