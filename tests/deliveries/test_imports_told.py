"""The end of an import is told, however the file came."""

import pytest

from tests.deliveries.conftest import Hook, Pushing
from tests.masterdata.import_support import Importer

GOOD = [{"Code": "L1", "Name": "Outlet", "Street": "Ring"}]
BAD = [{"Code": "", "Name": "Outlet", "Street": "Ring"}]


@pytest.mark.parametrize("background", [0, 1])
@pytest.mark.parametrize(("rows", "kind", "state"), [(GOOD, "completed", "done"), (BAD, "failed", "failed")])
async def test_a_subscription_hears_how_an_import_ended(
    push: Pushing, hook: Hook, rows: list[dict[str, object]], kind: str, state: str, background: int
) -> None:
    await push.subscribe(Name="Ours", Url=hook.seen.url, Events="import.*")

    answer = await Importer(push.http, "Outlet").rows(rows, background=background)
    await push.settle()
    made = await push.deliver()

    (message,) = hook.messages
    assert (made, message["type"]) == (1, f"import.{kind}")
    data = message["data"]
    assert (data["ImportId"], data["State"], data["TotalRows"]) == (answer["importId"], state, 1)
    assert (data["Inserted"], data["ErrorCount"]) == ((1, 0) if state == "done" else (0, 1))
    assert message["links"] == {"record": f"/api/v1/imports/{data['ImportRunId']}"}


async def test_a_check_is_no_import_and_tells_nothing(push: Pushing, hook: Hook) -> None:
    await push.subscribe(Name="Ours", Url=hook.seen.url)

    await Importer(push.http, "Outlet").check(GOOD)
    await push.settle()

    assert await push.deliver() == 0
