import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from coldshelf.access import credentials
from coldshelf.access.errors import (
    ClientCodeTaken,
    ClientNotFound,
    DeviceNotFound,
    PasswordInvalid,
    SignInEnded,
    TokenNotFound,
    TooManyFailures,
    UserNameTaken,
    UserNotFound,
    WrongCredentials,
)
from coldshelf.access.models import Client
from coldshelf.access.principal import OPERATORS, Principal, Role
from coldshelf.access.service import (
    add_client,
    add_device_token,
    add_token,
    add_user,
    client_by_code,
    list_tokens,
    load_client,
    make_cookie,
    revoke_device_tokens,
    revoke_token,
    set_password,
    set_user_active,
    sign_in_cookie,
    sign_in_password,
    sign_in_token,
)
from coldshelf.access.service.sign_in import FAILURES_A_MINUTE, Failures
from coldshelf.kit.errors import InputInvalid, NotAllowed
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime

PASSWORD = "correct horse"


@pytest.fixture
async def ada(run: Runtime, client_id: ClientId) -> UserId:
    user_id, _ = await add_user(run, client_id, "Ada@Example.com", password=PASSWORD, role=Role.CLIENT_ADMIN)
    return user_id


@pytest.fixture
async def device(run: Runtime, client_id: ClientId) -> int:
    async with run.database.scope(client_id) as connection:
        return int(
            await connection.fetchval(
                "INSERT INTO smart_device (client_id, serial_number) VALUES ($1, 'SD-1') RETURNING id", client_id
            )
        )


async def shut_client(run: Runtime, client_id: ClientId) -> None:
    async with run.database.system() as connection:
        await connection.execute("UPDATE client SET is_active = false WHERE id = $1", client_id)


async def test_added_client_is_found_by_code_and_in_its_scope(run: Runtime) -> None:
    client_id = await add_client(run, "north", "North", "Europe/Vienna", demands_planogram=True)

    wanted = Client(client_id, "north", "North", "Europe/Vienna", True, False, True)
    assert await client_by_code(run, "north") == wanted
    assert await load_client(run, client_id) == wanted


@pytest.mark.usefixtures("client_id")
async def test_client_code_is_unique(run: Runtime) -> None:
    with pytest.raises(ClientCodeTaken):
        await add_client(run, "demo", "Another")


@pytest.mark.parametrize(
    ("code", "name", "zone"),
    [
        ("", "N", "UTC"),
        ("-x", "N", "UTC"),
        ("a b", "N", "UTC"),
        ("ok", " ", "UTC"),
        ("ok", "N", "Mars/Base"),
        ("ok", "N", ""),
        ("ok", "N", "../etc"),
    ],
)
async def test_client_of_wrong_form_is_refused(run: Runtime, code: str, name: str, zone: str) -> None:
    with pytest.raises(InputInvalid):
        await add_client(run, code, name, zone)


async def test_unknown_client_is_not_found(run: Runtime) -> None:
    with pytest.raises(ClientNotFound):
        await client_by_code(run, "nobody")
    with pytest.raises(ClientNotFound):
        await client_by_code(run, "")
    with pytest.raises(ClientNotFound):
        await load_client(run, ClientId(4711))


async def test_password_signs_in_whatever_the_case_of_the_name(run: Runtime, client_id: ClientId, ada: UserId) -> None:
    principal = await sign_in_password(run, " ada@EXAMPLE.com ", PASSWORD)

    assert principal == Principal(client_id, ada, "Ada@Example.com", Role.CLIENT_ADMIN, None, f"user:{ada}")


async def test_made_password_signs_in(run: Runtime, client_id: ClientId) -> None:
    _, password = await add_user(run, client_id, "bob", role=Role.SALES_REP)

    assert (await sign_in_password(run, "bob", password)).role is Role.SALES_REP


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada@example.com", "wrong"),
        ("nobody", PASSWORD),
        ("", ""),
        ("a\0b", PASSWORD),
        ("ada@example.com", ""),
        ("ada@example.com", "x" * 100_000),
    ],
)
async def test_wrong_password_and_unknown_name_say_the_same(run: Runtime, name: str, password: str) -> None:
    with pytest.raises(WrongCredentials, match=r"^The user name or the password is wrong$"):
        await sign_in_password(run, name, password)


async def test_operator_belongs_to_no_client(run: Runtime) -> None:
    _, password = await add_user(run, OPERATORS, "root", role=Role.OPERATOR)

    principal = await sign_in_password(run, "root", password)

    assert principal.client_id is None
    assert await sign_in_cookie(run, await make_cookie(run, principal)) == replace(
        principal, credential=f"cookie:{principal.user_id}"
    )


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.DEVICE])
async def test_client_has_no_operators_and_no_device_users(run: Runtime, client_id: ClientId, role: Role) -> None:
    with pytest.raises(InputInvalid):
        await add_user(run, client_id, "eve", role=role)


@pytest.mark.usefixtures("ada")
async def test_user_name_is_unique_over_all_clients(run: Runtime) -> None:
    other = await add_client(run, "other", "Other")

    with pytest.raises(UserNameTaken):
        await add_user(run, other, "ADA@example.com", role=Role.INSTALLER)


async def test_changed_password_counts_at_once(run: Runtime, client_id: ClientId, ada: UserId) -> None:
    await sign_in_password(run, "ada@example.com", PASSWORD)

    await set_password(run, client_id, ada, "battery staple")

    with pytest.raises(WrongCredentials):
        await sign_in_password(run, "ada@example.com", PASSWORD)
    assert (await sign_in_password(run, "ada@example.com", "battery staple")).user_id == ada


async def test_password_cannot_be_set_across_clients(run: Runtime, ada: UserId) -> None:
    other = await add_client(run, "other", "Other")

    with pytest.raises(UserNotFound):
        await set_password(run, other, ada, "battery staple")
    with pytest.raises(PasswordInvalid):
        await set_password(run, other, ada, "short")
    assert (await sign_in_password(run, "ada@example.com", PASSWORD)).user_id == ada


async def test_inactive_user_and_inactive_client_are_shut_out(
    run: Runtime, client_id: ClientId, ada: UserId, device: int
) -> None:
    token = await add_token(run, client_id, ada, "upload")
    device_token = await add_device_token(run, client_id, device)
    cookie = await make_cookie(run, await sign_in_password(run, "ada@example.com", PASSWORD))

    await set_user_active(run, client_id, ada, is_active=False)
    with pytest.raises(WrongCredentials):
        await sign_in_password(run, "ada@example.com", PASSWORD)
    with pytest.raises(WrongCredentials):
        await sign_in_token(run, token)
    with pytest.raises(SignInEnded):
        await sign_in_cookie(run, cookie)

    await set_user_active(run, client_id, ada, is_active=True)
    assert (await sign_in_token(run, token)).user_id == ada
    await shut_client(run, client_id)
    for wanted in (token, device_token):
        with pytest.raises(WrongCredentials):
            await sign_in_token(run, wanted)


async def test_token_signs_in_until_revoked(run: Runtime, client_id: ClientId, ada: UserId) -> None:
    token = await add_token(run, client_id, ada, "upload")

    principal = await sign_in_token(run, token)
    assert (principal.client_id, principal.user_id, principal.role) == (client_id, ada, Role.CLIENT_ADMIN)
    [listed] = await list_tokens(run, client_id)
    assert (listed.user_id, listed.name, listed.revoked_on) == (ada, "upload", None)

    await revoke_token(run, client_id, listed.id)
    with pytest.raises(WrongCredentials):
        await sign_in_token(run, token)


async def test_token_ends_at_its_time(run: Runtime, client_id: ClientId, ada: UserId) -> None:
    past = await add_token(run, client_id, ada, "past", datetime.now(UTC) - timedelta(seconds=1))
    future = await add_token(run, client_id, ada, "future", datetime.now(UTC) + timedelta(hours=1))

    assert (await sign_in_token(run, future)).user_id == ada
    with pytest.raises(WrongCredentials):
        await sign_in_token(run, past)


async def test_token_is_not_stored(run: Runtime, client_id: ClientId, ada: UserId) -> None:
    token = await add_token(run, client_id, ada, "upload")

    async with run.database.system() as connection:
        row = await connection.fetchval("SELECT t::text FROM api_token t")
    assert token[3:] not in row
    assert credentials.hash_token(token).hex() in row


async def test_tokens_of_another_client_are_out_of_reach(run: Runtime, client_id: ClientId, ada: UserId) -> None:
    token = await add_token(run, client_id, ada, "upload")
    [listed] = await list_tokens(run, client_id)
    other = await add_client(run, "other", "Other")

    assert await list_tokens(run, other) == []
    with pytest.raises(TokenNotFound):
        await revoke_token(run, other, listed.id)
    with pytest.raises(UserNotFound):
        await add_token(run, other, ada, "stolen")
    assert (await sign_in_token(run, token)).user_id == ada


async def test_device_token_signs_the_device_in(run: Runtime, client_id: ClientId, device: int) -> None:
    token = await add_device_token(run, client_id, device)

    principal = await sign_in_token(run, token)

    assert (principal.client_id, principal.role, principal.smart_device_id) == (client_id, Role.DEVICE, device)
    with pytest.raises(NotAllowed):
        await make_cookie(run, principal)
    assert await revoke_device_tokens(run, client_id, device) == 1
    with pytest.raises(WrongCredentials):
        await sign_in_token(run, token)


async def test_unknown_device_gets_no_token(run: Runtime, client_id: ClientId, device: int) -> None:
    other = await add_client(run, "other", "Other")

    for wrong_client, wrong_device in ((client_id, 4711), (other, device)):
        with pytest.raises(DeviceNotFound):
            await add_device_token(run, wrong_client, wrong_device)


@pytest.mark.parametrize("token", ["", "cs_", "cs_unknown", "\0", "ü"])
async def test_unknown_token_is_refused(run: Runtime, token: str) -> None:
    with pytest.raises(WrongCredentials):
        await sign_in_token(run, token)


async def test_cookie_ends_with_the_password(run: Runtime, client_id: ClientId, ada: UserId) -> None:
    principal = await sign_in_password(run, "ada@example.com", PASSWORD)
    cookie = await make_cookie(run, principal)
    assert (await sign_in_cookie(run, cookie)).user_id == ada

    await set_password(run, client_id, ada, "battery staple")

    with pytest.raises(SignInEnded):
        await sign_in_cookie(run, cookie)


@pytest.mark.usefixtures("ada")
async def test_cookie_of_another_secret_or_changed_is_refused(run: Runtime) -> None:
    principal = await sign_in_password(run, "ada@example.com", PASSWORD)
    cookie = await make_cookie(run, principal)

    for wrong in ("", "x", "a.b.c", cookie[:-1] + ("A" if cookie[-1] != "A" else "E"), "ü", cookie + "x"):
        with pytest.raises(SignInEnded):
            await sign_in_cookie(run, wrong)
    with pytest.raises(SignInEnded):
        await sign_in_cookie(replace(run, secret=b"another"), cookie)


@pytest.mark.usefixtures("ada")
async def test_second_sign_in_costs_a_comparison(run: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = count_verifications(monkeypatch)

    for _ in range(3):
        await sign_in_password(run, "ada@example.com", PASSWORD)

    assert runs == [PASSWORD]


async def test_200_fresh_sign_ins_at_once_verify_once(
    run: Runtime, ada: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = count_verifications(monkeypatch)

    principals = await asyncio.gather(*(sign_in_password(run, "ada@example.com", PASSWORD) for _ in range(200)))

    assert {principal.user_id for principal in principals} == {ada}
    assert runs == [PASSWORD]


async def test_failures_shut_a_name_out_but_not_its_verified_password(
    run: Runtime, ada: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in_password(run, "ada@example.com", PASSWORD)
    runs = count_verifications(monkeypatch)

    answers = await asyncio.gather(
        *(sign_in_password(run, "ada@example.com", "wrong") for _ in range(50)), return_exceptions=True
    )

    assert sum(isinstance(answer, WrongCredentials) for answer in answers) == FAILURES_A_MINUTE
    assert sum(isinstance(answer, TooManyFailures) for answer in answers) == 50 - FAILURES_A_MINUTE
    assert len(runs) == FAILURES_A_MINUTE
    assert (await sign_in_password(run, "ada@example.com", PASSWORD)).user_id == ada


@pytest.mark.usefixtures("ada")
async def test_unknown_name_takes_the_time_and_the_throttle_of_a_known_one(
    run: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = count_verifications(monkeypatch)

    for _ in range(FAILURES_A_MINUTE):
        with pytest.raises(WrongCredentials):
            await sign_in_password(run, "nobody", "wrong")

    with pytest.raises(TooManyFailures) as caught:
        await sign_in_password(run, "NOBODY", "wrong")
    assert timedelta(0) < caught.value.retry_after <= timedelta(minutes=1)
    assert len(runs) == FAILURES_A_MINUTE


def test_failures_are_forgiven_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    failures = Failures(size=2)
    for _ in range(FAILURES_A_MINUTE):
        failures.count("ada")
    with pytest.raises(TooManyFailures):
        failures.check("ada")

    now += 60.1

    failures.check("ada")
    failures.count("ada")
    failures.check("ada")


def count_verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Watch the Argon2 runs; they still happen."""
    runs: list[str] = []
    verify = credentials.verify_password

    def watched(password_hash: str, password: str) -> bool:
        runs.append(password)
        return verify(password_hash, password)

    monkeypatch.setattr(credentials, "verify_password", watched)
    return runs
