"""Links: only the token that was made opens, GET changes nothing, and an action counts once."""

import base64
import string
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from tests.support.links import ORIGIN

from coldshelf.access.errors import LinkWrong
from coldshelf.access.links import (
    NUMBER_BYTES,
    Opened,
    Page,
    Purpose,
    Purposes,
    new_number,
    purposes_by_name,
    read_token,
    write_token,
)
from coldshelf.access.routes.links import WRONG_A_MINUTE, link_router
from coldshelf.access.service import mint
from coldshelf.kit.db import Database
from coldshelf.kit.errors import Conflict
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.asgi import equip
from coldshelf.kit.web.html import EMPTY, Html, fill, join

SECRET = b"a secret of 32 bytes for testing"
LETTERS = string.ascii_lowercase + string.digits


def test_a_token_gives_its_number_back_and_has_letters_and_digits_only() -> None:
    for _ in range(200):
        number = new_number(SECRET)
        token = write_token(SECRET, number)

        assert read_token(SECRET, token) == number
        assert len(token) == 48
        assert set(token) <= set(LETTERS)


def test_a_token_with_any_letter_changed_is_wrong() -> None:
    token = write_token(SECRET, new_number(SECRET))
    altered = {token[:place] + letter + token[place + 1 :] for place in range(48) for letter in LETTERS + "A-_.=%é"}

    for wrong in altered - {token}:
        with pytest.raises(LinkWrong):
            read_token(SECRET, wrong)


def test_tokens_of_other_secrets_lengths_and_cases_are_wrong() -> None:
    number = new_number(SECRET)
    token = write_token(SECRET, number)
    unsigned = base64.b32encode(number).decode().lower()

    for wrong in (write_token(b"another", number), "", unsigned, token[:-1], token + "a", token.upper(), f" {token}",
                  token + "=" * 8, "a" * 48, token[24:] + token[:24], token + token):  # fmt: skip
        with pytest.raises(LinkWrong):
            read_token(SECRET, wrong)


def test_numbers_are_random_unless_the_same_must_come_twice() -> None:
    once = new_number(SECRET, 1, "picture.view", 7, "ada", "message 1")

    assert len({new_number(SECRET) for _ in range(1000)}) == 1000
    assert once == new_number(SECRET, 1, "picture.view", 7, "ada", "message 1")
    assert len(once) == NUMBER_BYTES
    assert once != new_number(SECRET, 1, "picture.view", 7, "ada", "message 2")
    assert once != new_number(b"another", 1, "picture.view", 7, "ada", "message 1")


# --- Through the door, with a purpose of the test's own.


async def show(opened: Opened) -> Page:
    return Page("Seen", fill("<p>{key} {used}</p>", key=opened.link.record_key, used=opened.link.used_by_action))


async def note(opened: Opened, action: str, form: Mapping[str, str]) -> str:
    if form.get("fail"):
        raise Conflict("It cannot be now")
    await opened.connection.execute(
        "INSERT INTO location (client_id, code, name) VALUES (coldshelf_client(), $1, $2)", form["code"], action
    )
    return form["code"]


async def write_while_looking(opened: Opened) -> Page:
    await opened.connection.execute("UPDATE link SET recipient = 'seen'")
    return Page("Seen", EMPTY)


ACTIONS = {"yes": "Yes", "no": "No"}
OWN = purposes_by_name(
    (
        Purpose(name="a.vote", dataset="Location", title="V", meaning="v", show=show, actions=ACTIONS, act=note),
        Purpose(
            name="a.once", dataset="Location", title="O", meaning="o", show=show, actions=ACTIONS, act=note,
            single_use=True,
        ),
        Purpose(name="a.careless", dataset="Location", title="C", meaning="c", show=write_while_looking),
    )
)  # fmt: skip


class Shut(Database):
    """A database behind whose door nobody comes."""

    def __init__(self) -> None:
        self.asked = 0

    def door(self) -> Any:
        self.asked += 1
        raise AssertionError("asked for a connection")

    def scope(self, *_: object, **__: object) -> Any:
        return self.door()


def app_of(run: Runtime, purposes: Purposes = OWN) -> FastAPI:
    app = FastAPI()
    app.include_router(link_router(purposes))
    app.state.run = run
    equip(app, max_body_bytes=run.settings.max_body_bytes)
    return app


@asynccontextmanager
async def visitor(app: FastAPI, address: str = "192.0.2.1") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://coldshelf.test") as http:
        yield http


async def link_to(run: Runtime, client_id: ClientId, purpose: str) -> str:
    async with run.database.scope(client_id) as connection:
        return urlsplit((await mint(run, connection, client_id, OWN[purpose], 7)).url).path


async def test_wrong_tokens_are_all_answered_alike_without_a_look_into_the_database(
    run: Runtime, client_id: ClientId
) -> None:
    token = (await link_to(run, client_id, "a.vote")).rpartition("/")[2]
    shut = Shut()
    run = replace(run, database=shut)
    wrong = [token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1 :] for place in range(48)]
    seen = set()
    for number, one in enumerate([*wrong, token.upper(), token[:-1], "x", "%00", "é", "a" * 5000]):
        async with visitor(app_of(run), f"192.0.2.{number}") as http:
            for answer in (await http.get(f"/l/{one}"), await http.get(f"/l/{one}/picture"),
                           await http.post(f"/l/{one}", data={"action": "yes"}, headers=ORIGIN)):  # fmt: skip
                seen.add((answer.status_code, answer.text))
    assert {status for status, _ in seen} == {404}
    assert len({text for _, text in seen}) == 1
    assert shut.asked == 0


async def test_a_right_signature_of_no_link_is_a_wrong_link(run: Runtime, client_id: ClientId) -> None:
    assert client_id
    async with visitor(app_of(run)) as http:
        made_up = await http.get(f"/l/{write_token(run.secret, new_number(run.secret))}")
        altered = await http.get(f"/l/{'a' * 48}")

    assert (made_up.status_code, made_up.text) == (404, altered.text)


async def test_too_many_wrong_links_shut_their_address_out_and_no_right_link(run: Runtime, client_id: ClientId) -> None:
    path = await link_to(run, client_id, "a.vote")
    app = app_of(run)
    async with visitor(app) as http, visitor(app, "192.0.2.2") as other:
        statuses = [(await http.get("/l/wrong")).status_code for _ in range(WRONG_A_MINUTE)]
        refused = await http.get("/l/wrong")
        right = await http.get(path)
        elsewhere = await other.get("/l/wrong")

    assert statuses == [404] * WRONG_A_MINUTE
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["cache-control"] == "no-store"
    assert (right.status_code, elsewhere.status_code) == (200, 404)


async def test_a_right_link_is_opened_as_often_as_any_credential(run: Runtime, client_id: ClientId, url: str) -> None:
    settings = run.settings.model_copy(update={"requests_per_minute": 3})
    database = await Database.connect(url)
    try:
        path = await link_to(run, client_id, "a.vote")
        other = await link_to(run, client_id, "a.vote")
        async with visitor(app_of(replace(run, settings=settings, database=database))) as http:
            answers = [await http.get(path) for _ in range(4)]
            another = await http.get(other)
    finally:
        await database.close()

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "retry-after" in answers[-1].headers
    assert another.status_code == 200


async def test_a_single_use_link_opens_no_more_after_its_action(run: Runtime, client_id: ClientId) -> None:
    vote, once = await link_to(run, client_id, "a.vote"), await link_to(run, client_id, "a.once")
    async with visitor(app_of(run)) as http:
        for path in (vote, once):
            assert (await http.get(path)).status_code == 200
            sent = {"action": "yes", "code": path[-6:]}
            assert (await http.post(path, data=sent, headers=ORIGIN)).status_code == 303
            assert (await http.post(path, data=sent, headers=ORIGIN)).status_code == 303
            assert (await http.post(path, data={**sent, "action": "no"}, headers=ORIGIN)).status_code == 409
        goes_on, used = await http.get(vote), await http.get(once)

    assert (goes_on.status_code, used.status_code) == (200, 410)
    assert "7 yes" in goes_on.text
    assert "This link was used" in used.text


async def test_an_action_that_fails_leaves_the_link_unused(run: Runtime, client_id: ClientId) -> None:
    path = await link_to(run, client_id, "a.vote")
    async with visitor(app_of(run)) as http:
        failed = await http.post(path, data={"action": "yes", "code": "c", "fail": "1"}, headers=ORIGIN)
        done = await http.post(path, data={"action": "no", "code": "c"}, headers=ORIGIN)

    assert (failed.status_code, done.status_code) == (409, 303)
    assert "It cannot be now" in failed.text
    async with run.database.scope(client_id, readonly=True) as connection:
        (audit,) = await connection.fetch("SELECT action, detail, created_by_user, link_id FROM link_action")
        (outlet,) = await connection.fetch("SELECT name, created_by_user, created_by_user_id FROM location")
    actor = f"link {audit['link_id']}"
    assert (audit["action"], audit["detail"], audit["created_by_user"]) == ("no", "c", actor)
    assert tuple(outlet.values()) == ("no", actor, None)


async def test_a_page_that_would_write_cannot(run: Runtime, client_id: ClientId) -> None:
    path = await link_to(run, client_id, "a.careless")
    async with visitor(app_of(run)) as http:
        answer = await http.get(path)

    assert answer.status_code == 500
    async with run.database.scope(client_id, readonly=True) as connection:
        assert await connection.fetchval("SELECT recipient FROM link") == ""


async def test_a_purpose_that_is_offered_no_more_opens_nothing(run: Runtime, client_id: ClientId) -> None:
    path = await link_to(run, client_id, "a.vote")
    async with visitor(app_of(run, purposes_by_name(()))) as http:
        assert (await http.get(path)).status_code == 410


def test_purposes_have_names_of_their_own_and_actions_that_are_done() -> None:
    with pytest.raises(ValueError, match="registered twice"):
        purposes_by_name([OWN["a.vote"], OWN["a.vote"]])
    with pytest.raises(ValueError, match="both actions and act"):
        purposes_by_name([replace(OWN["a.careless"], actions=ACTIONS)])


def test_values_of_pages_are_text_unless_they_are_html() -> None:
    assert fill("<p title='{a}'>{b}</p>", a="'\"<&", b=Html("<i>x</i>")) == (
        "<p title='&#x27;&quot;&lt;&amp;'><i>x</i></p>"
    )
    assert fill("{a}", a="{b}") == "{b}"
    assert join(("<", Html("<br>"), 3)) == "&lt;<br>3"
