"""The guarded client: pinned addresses, redirects, bounds, TLS, source address, proxy."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from tests.support.receiver import Receiver, answer, connect_proxy, receiver, redirect

from coldshelf.kit.errors import ColdshelfError, SettingsInvalid
from coldshelf.kit.http import GuardedClient, open_outgoing
from coldshelf.kit.http.errors import (
    AnswerBroken,
    AnswerTooLarge,
    CallFailed,
    CallTimedOut,
    ConnectFailed,
    OutgoingFailed,
    PortRefused,
    Redirected,
    SchemeRefused,
    StatusUnexpected,
    TargetRefused,
    TlsFailed,
)
from coldshelf.kit.settings import load_settings
from coldshelf.kit.testing import ScriptedNames

OPEN = "127.0.0.1"
"""The address that stands for the public here; 127.0.0.2 stands for the inside."""


@asynccontextmanager
async def calling(
    *receivers: Receiver, names: ScriptedNames | None = None, **settings: object
) -> AsyncIterator[GuardedClient]:
    """Open a client that may call 127.0.0.1 on the ports of the receivers."""
    chosen = {"outgoing_ports": [one.port for one in receivers], "outgoing_http": True, "outgoing_allow": (OPEN,)}
    client = open_outgoing(load_settings(**(chosen | settings)), names or ScriptedNames({}))
    try:
        yield client
    finally:
        await client.close()


async def fetched(client: GuardedClient, url: str, largest: int = 1000) -> bytes:
    async with client.fetch(url, largest=largest) as found:
        return await found.read()


async def failing(client: GuardedClient, url: str, kind: type[OutgoingFailed], **options: object) -> OutgoingFailed:
    with pytest.raises(OutgoingFailed) as failed:
        await client.send("GET", url, **({"largest": 1000} | options))
    assert type(failed.value) is kind, failed.value
    return failed.value


async def test_answer_is_given_whole_and_the_host_stays_the_name() -> None:
    async with receiver(answer(b"thanks", "X-Kind: test", status="202 Accepted")) as far:
        names = ScriptedNames({"far.example": [[OPEN]]})
        async with calling(far, names=names) as client:
            reply = await client.send(
                "POST", f"http://far.example:{far.port}/hook?a=1", largest=10, body=b"{}", headers={"X-One": "1"}
            )

    assert (reply.status, reply.headers["x-kind"], reply.body) == (202, "test", b"thanks")
    assert far.requests[0].startswith("POST /hook?a=1 HTTP/1.1\r\n")
    assert (far.header("host"), far.header("x-one"), far.bodies) == (f"far.example:{far.port}", "1", [b"{}"])
    assert far.header("accept-encoding") == "identity"


async def test_address_that_was_checked_is_the_one_connected_to_whatever_the_name_says_next() -> None:
    async with receiver() as public, receiver(address="127.0.0.2", port=public.port) as inside:
        names = ScriptedNames({"rebinding.example": [[OPEN], ["127.0.0.2"]]})
        async with calling(public, names=names) as client:
            reply = await client.send("GET", f"http://rebinding.example:{public.port}/", largest=100)

    assert reply.body == b"hello"
    assert names.asked == ["rebinding.example"]
    assert (public.connections, inside.connections) == (1, 0)


async def test_name_that_turns_inside_between_two_calls_is_refused() -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"
    async with receiver(closing) as public, receiver(address="127.0.0.2", port=public.port) as inside:
        names = ScriptedNames({"rebinding.example": [[OPEN], ["127.0.0.2"]]})
        async with calling(public, names=names) as client:
            url = f"http://rebinding.example:{public.port}/"
            await client.send("GET", url, largest=100)
            await failing(client, url, TargetRefused)

    assert (public.connections, inside.connections) == (1, 0)


async def test_connection_that_is_kept_open_still_goes_to_the_checked_address() -> None:
    async with receiver() as public, receiver(address="127.0.0.2", port=public.port) as inside:
        names = ScriptedNames({"rebinding.example": [[OPEN], ["127.0.0.2"]]})
        async with calling(public, names=names) as client:
            for _ in range(3):
                await client.send("GET", f"http://rebinding.example:{public.port}/", largest=100)

    assert (public.connections, len(public.requests), inside.connections) == (1, 3, 0)


async def test_name_with_one_address_inside_is_refused_whole() -> None:
    async with receiver() as public:
        names = ScriptedNames({"both.example": [[OPEN, "127.0.0.2"]]})
        async with calling(public, names=names) as client:
            await failing(client, f"http://both.example:{public.port}/", TargetRefused)

    assert public.connections == 0


async def test_port_that_no_setting_opens_is_refused() -> None:
    async with receiver() as far, calling(outgoing_ports=(443,)) as client:
        failed = await failing(client, far.url, PortRefused)

    assert f"port {far.port} is not called, only 443" in failed.message
    assert far.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_of_a_call_is_a_failure_and_not_followed(status: int) -> None:
    async with receiver() as other, receiver(redirect(other.url, status)) as far, calling(far, other) as client:
        failed = await failing(client, far.url, Redirected)

    assert f"status {status}" in failed.message
    assert (far.connections, other.connections) == (1, 0)


async def test_fetch_follows_three_redirects_each_checked_anew() -> None:
    def hop(head: str) -> bytes:
        number = int(head.split(" ")[1].strip("/"))
        return answer(b"there") if number == 3 else redirect(f"/{number + 1}")

    async with receiver(hop) as far, calling(far) as client:
        assert await fetched(client, f"{far.url}/0") == b"there"


async def test_fetch_follows_no_fourth_redirect() -> None:
    async with receiver(redirect("/again")) as far, calling(far) as client:
        with pytest.raises(Redirected, match="more than 3 redirects"):
            await fetched(client, f"{far.url}/?token=secret")

    assert len(far.requests) == 4


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.2:{port}/",
        "//127.0.0.2:{port}/",
        "http://2130706434:{port}/",
        "http://[::1]:{port}/",
        "http://inside.example:{port}/",
        "http://good.example@127.0.0.2:{port}/",
        "http:\\\\127.0.0.2:{port}/",
        "\\\\127.0.0.2:{port}/",
        "/\\127.0.0.2:{port}/",
        "http:///127.0.0.2:{port}/",
        "file:///etc/passwd",
        "http://169.254.169.254/",
    ],
)
async def test_redirect_to_the_inside_is_refused_before_a_connection_and_not_repeated(to: str) -> None:
    def lead(_: str) -> bytes:
        return redirect(to.replace("{port}", str(public.port)))

    async with receiver(lead) as public, receiver(address="127.0.0.2", port=public.port) as inside:
        names = ScriptedNames({"inside.example": [["127.0.0.2"]]})
        async with calling(public, names=names) as client:
            with pytest.raises(OutgoingFailed) as refused:
                await fetched(client, public.url)

    assert inside.connections == 0
    assert ("127.0.0.2" in refused.value.message, refused.value.status) == (False, 400)


async def test_answer_that_says_it_is_too_large_is_not_read() -> None:
    async with receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n") as far, calling(far) as client:
        await failing(client, far.url, AnswerTooLarge)


async def test_answer_that_grows_too_large_is_given_up() -> None:
    async with receiver(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1001)) as far, calling(far) as client:
        failed = await failing(client, far.url, AnswerTooLarge)

    assert failed.message == f"{far.url}/: the answer is larger than 1,000 bytes"


async def test_answer_of_just_the_size_is_taken() -> None:
    async with receiver(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1000)) as far, calling(far) as client:
        assert await fetched(client, far.url) == bytes(1000)


async def test_compressed_answer_is_refused() -> None:
    async with receiver(answer(b"\x1f\x8b", "Content-Encoding: gzip")) as far, calling(far) as client:
        await failing(client, far.url, AnswerBroken)


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"Content-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel",
        b"",
    ],
    ids=["long header", "many headers", "no HTTP", "cut off", "closed at once"],
)
async def test_answer_that_is_no_answer_is_broken(content: bytes) -> None:
    def once(_: str) -> bytes:
        return content.replace(b"Content-Length", b"content-length")  # the receiver closes behind it

    async with receiver(once) as far, calling(far) as client:
        failed = await failing(client, far.url, AnswerBroken)

    assert "OpenSSH" not in failed.message


async def test_slow_answer_is_given_up_in_time() -> None:
    async with receiver(answer(bytes(100)), pause=0.05) as far, calling(far) as client:
        await failing(client, far.url, CallTimedOut, within=timedelta(seconds=0.2))


async def test_time_of_a_fetch_covers_its_redirects() -> None:
    async with receiver(redirect("/again"), pause=0.004) as far, calling(far) as client:
        with pytest.raises(CallTimedOut):
            async with client.fetch(far.url, largest=10, within=timedelta(seconds=0.5)):
                pass


async def test_closed_port_cannot_be_connected_to() -> None:
    async with receiver() as far:
        pass
    async with calling(far) as client:
        failed = await failing(client, far.url, ConnectFailed)

    assert (failed.retry, failed.message) == (True, f"{far.url}/: could not connect")


async def test_errors_never_repeat_what_was_answered() -> None:
    async with receiver(answer(b"the secret", "X-Secret: secret", status="500 secret")) as far, calling(far) as client:
        with pytest.raises(StatusUnexpected) as failed:
            await fetched(client, far.url)

    assert failed.value.message == f"{far.url}/: status 500"


async def test_cookies_are_neither_kept_nor_sent() -> None:
    async with receiver(answer(b"", "Set-Cookie: a=1; Path=/")) as far, calling(far) as client:
        await client.send("GET", far.url, largest=10)
        await client.send("GET", far.url, largest=10)

    assert [("cookie:" in head.lower()) for head in far.requests] == [False, False]


async def test_proxies_and_passwords_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async with receiver() as far, calling(far) as client:
        reply = await client.send("GET", far.url, largest=10)

    assert (reply.body, far.header("authorization")) == (b"hello", None)


async def test_header_with_a_line_break_is_not_sent() -> None:
    async with receiver() as far, calling(far) as client:
        with pytest.raises(CallFailed):
            await client.send("GET", far.url, largest=10, headers={"X-One": "1\r\nX-Two: 2"})

    assert far.requests == []


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


@pytest.fixture
def tls(authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    def context(name: str) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(made)
        return made

    return context


async def test_certificate_is_verified_for_the_name_not_the_address(
    tls: Callable[[str], ssl.SSLContext], ca_file: Path
) -> None:
    async with receiver(tls=tls("far.example")) as far:
        names = ScriptedNames({"far.example": [[OPEN]], "other.example": [[OPEN]]})
        async with calling(far, names=names, outgoing_ca_file=ca_file) as client:
            reply = await client.send("GET", f"https://far.example:{far.port}/", largest=10)
            await failing(client, f"https://other.example:{far.port}/", TlsFailed)

    assert reply.body == b"hello"
    assert far.names == ["far.example", "other.example"]


async def test_certificate_of_an_unknown_authority_is_not_trusted(tls: Callable[[str], ssl.SSLContext]) -> None:
    names = ScriptedNames({"far.example": [[OPEN]]})
    async with receiver(tls=tls("far.example")) as far, calling(far, names=names) as client:
        await failing(client, f"https://far.example:{far.port}/", TlsFailed)

    assert far.requests == []


async def test_redirect_from_https_to_http_is_refused(tls: Callable[[str], ssl.SSLContext], ca_file: Path) -> None:
    async with receiver() as plain, receiver(redirect(plain.url), tls=tls("far.example")) as far:
        names = ScriptedNames({"far.example": [[OPEN]]})
        async with calling(far, plain, names=names, outgoing_ca_file=ca_file) as client:
            with pytest.raises(Redirected, match="from https:// to http://"):
                await fetched(client, f"https://far.example:{far.port}/")

    assert plain.connections == 0


async def test_calls_leave_from_the_source_address() -> None:
    async with receiver() as far, calling(far, outgoing_source_address="127.0.0.3") as client:
        await client.send("GET", far.url, largest=10)

    assert far.peers == ["127.0.0.3"]


async def test_addresses_of_the_other_family_than_the_source_address_are_left_out() -> None:
    async with receiver() as far:
        names = ScriptedNames({"far.example": [["::1", OPEN]]})
        chosen = {"outgoing_source_address": "127.0.0.3", "outgoing_allow": (OPEN, "::1")}
        async with calling(far, names=names, **chosen) as client:
            reply = await client.send("GET", f"http://far.example:{far.port}/", largest=10)

    assert reply.body == b"hello"


async def test_proxy_is_asked_for_the_checked_address_and_tls_for_the_name(
    tls: Callable[[str], ssl.SSLContext], ca_file: Path
) -> None:
    async with receiver(tls=tls("far.example")) as far, connect_proxy() as proxy:
        names = ScriptedNames({"far.example": [[OPEN], ["127.0.0.2"]]})
        options = {"outgoing_ca_file": ca_file, "outgoing_proxy": f"http://127.0.0.1:{proxy.port}"}
        async with calling(far, names=names, **options) as client:
            reply = await client.send("GET", f"https://far.example:{far.port}/", largest=10)

    assert reply.body == b"hello"
    assert proxy.requests[0].startswith(f"CONNECT 127.0.0.1:{far.port} HTTP/1.1\r\n")
    assert (far.names, far.header("host")) == (["far.example"], f"far.example:{far.port}")
    assert names.asked == ["far.example"]


async def test_target_is_checked_with_a_proxy_as_without() -> None:
    async with receiver() as far, connect_proxy() as proxy:
        names = ScriptedNames({"inside.example": [["127.0.0.2"]]})
        async with calling(far, names=names, outgoing_proxy=f"http://127.0.0.1:{proxy.port}") as client:
            await failing(client, f"https://inside.example:{far.port}/", TargetRefused)
            await failing(client, f"https://127.0.0.2:{far.port}/", TargetRefused)
            await failing(client, f"http://127.0.0.1:{far.port}/", SchemeRefused)

    assert (proxy.connections, far.connections) == (0, 0)


@pytest.mark.parametrize(
    "settings",
    [
        {"outgoing_proxy": "socks5://127.0.0.1:1"},
        {"outgoing_source_address": "eth0"},
        {"outgoing_ca_file": "/nowhere/ca.pem"},
    ],
)
def test_setting_that_cannot_be_used_stops_the_start(settings: dict[str, object]) -> None:
    with pytest.raises(SettingsInvalid, match="COLDSHELF_OUTGOING_"):
        open_outgoing(load_settings(**settings))


def test_every_error_has_a_cure_or_says_all() -> None:
    kinds: list[type[ColdshelfError]] = [OutgoingFailed]
    for kind in kinds:
        kinds += kind.__subclasses__()

    assert {kind.code for kind in kinds if not kind.cure} == {
        "outgoing_failed", "call_failed", "answer_broken", "answer_too_large", "not_twilio",
    }  # fmt: skip
