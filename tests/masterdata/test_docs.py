"""The curl examples of docs/entities.md do what the page says."""

import itertools
import re
import shlex
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI

from coldshelf.kit.runtime import Runtime
from tests.conftest import REPOSITORY
from tests.records.support import Handler


def examples() -> list[tuple[str, dict[str, str]]]:
    """Give path and form of each curl command of the page, in order."""
    page = (REPOSITORY / "docs" / "entities.md").read_text(encoding="utf-8")
    text = "\n".join(re.findall(r"```\n(.*?)```", page, re.DOTALL)).replace("\\\n", " ")
    found = []
    for line in filter(str.strip, text.splitlines()):
        words = shlex.split(line)
        assert words[:2] == ["curl", "-u"], line
        form = [word.partition("=") for before, word in itertools.pairwise(words) if before == "-d"]
        address = urlsplit(words[-1])
        found.append((f"{address.path}?{address.query}", {name: value for name, _, value in form}))
    return found


async def test_the_examples_run_in_their_order(run: Runtime, app: FastAPI, admin: httpx.AsyncClient) -> None:
    await Handler(admin, "User").save(
        PrimaryEmail="ann@example.org", FirstName="Ann", LastName="Lee", PrimaryPhone="1", Role="Sales Rep"
    )

    answers = [(await admin.post(path, data=form)).json() for path, form in examples()]

    assert [answer["success"] for answer in answers] == [True, True, True], answers
    outlet = answers[1]["data"]
    assert (outlet["MarketName"], outlet["Country"], outlet["State"]) == ("North", "Vietnam", "Hà Nội")
    password = examples()[2][1]["Password"]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://coldshelf.test", auth=("ann@example.org", password)
    ) as ann:
        assert [record["Code"] for record in await Handler(ann, "Location").records()] == ["524"]
