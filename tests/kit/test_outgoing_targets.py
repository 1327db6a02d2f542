"""Outgoing calls go to public addresses only: what leads inside is refused before a connection."""

import os
import random
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from tests.support import hostile_urls
from tests.support.receiver import receiver

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.kit.http import GuardedClient, open_outgoing
from coldshelf.kit.http.addresses import Allowed, may_call, read_allowed
from coldshelf.kit.http.errors import HostUnknown, TargetRefused, UrlInvalid
from coldshelf.kit.http.targets import Rules, read_target
from coldshelf.kit.settings import load_settings
from coldshelf.kit.testing import ScriptedNames

RULES = Rules(ports=frozenset({80, 443}), takes_http=True, allowed=Allowed())


class Everywhere(ScriptedNames):
    """Leads every name to 127.0.0.1."""

    async def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        return ["127.0.0.1"]


def client_for(port: int, names: ScriptedNames, *allow: str) -> GuardedClient:
    settings = load_settings(outgoing_ports=(80, 443, port), outgoing_http=True, outgoing_allow=allow)
    return open_outgoing(settings, names)


async def test_hostile_urls_are_refused_before_a_name_is_asked_for_or_a_connection_is_made() -> None:
    names = Everywhere({})
    taken = []
    async with receiver() as listening:
        client = client_for(listening.port, names)

        for text in hostile_urls.REFUSED_UNASKED:
            url = text.replace("{port}", str(listening.port))
            for call in (client.send("POST", url, largest=100), _fetch(client, url)):
                try:
                    await call
                except UrlInvalid:
                    continue
                taken.append(url)
        await client.close()

    assert taken == []
    assert names.asked == []
    assert listening.connections == 0


async def test_names_that_lead_inside_are_refused_before_a_connection() -> None:
    names = ScriptedNames({name: [addresses] for name, addresses in hostile_urls.LEADING_INSIDE.items()})
    taken = []
    async with receiver() as listening:
        client = client_for(listening.port, names)

        for name in hostile_urls.LEADING_INSIDE:
            try:
                await client.send("GET", f"http://{name}:{listening.port}/", largest=100)
            except TargetRefused:
                continue
            taken.append(name)
        await client.close()

    assert taken == []
    assert names.asked == list(hostile_urls.LEADING_INSIDE)
    assert listening.connections == 0


async def _fetch(client: GuardedClient, url: str) -> bytes:
    async with client.fetch(url, largest=100) as answer:
        return await answer.read()


async def test_refusal_says_neither_where_a_name_leads_nor_what_stood_in_the_query() -> None:
    client = client_for(80, ScriptedNames({"inside.example": [["10.11.12.13"]]}))

    with pytest.raises(TargetRefused) as refused:
        await client.send("GET", "http://inside.example/path?token=secret", largest=100)

    assert "inside.example" in refused.value.message
    assert "10.11.12.13" not in refused.value.message
    assert "secret" not in refused.value.message
    assert (refused.value.code, refused.value.status, refused.value.retry) == ("target_refused", 400, False)
    assert "COLDSHELF_OUTGOING_ALLOW" in refused.value.cure
    await client.close()


async def test_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(UrlInvalid) as refused:
        read_target("https://user:hunter2@good.example/", RULES)

    assert "hunter2" not in refused.value.message


async def test_name_without_an_address_is_unknown() -> None:
    client = client_for(80, ScriptedNames({}))

    with pytest.raises(HostUnknown, match=r"nowhere\.example is not known"):
        await client.send("GET", "http://nowhere.example/", largest=100)

    await client.close()


@pytest.mark.parametrize(
    ("text", "host", "called"),
    [
        ("https://good.example", "good.example", "https://good.example"),
        ("HTTPS://Good.Example./A?b=%2B+c#d", "good.example", "https://good.example/A?b=%2B+c"),
        ("https://xn--e1afmkfd.example/фото.jpg", "xn--e1afmkfd.example", "https://xn--e1afmkfd.example/"),
        ("http://93.184.216.34:80/a", "93.184.216.34", "http://93.184.216.34/a"),
        ("https://[2606:2800:220:1::1]:443/a", "2606:2800:220:1::1", "https://[2606:2800:220:1::1]/a"),
        ("https://[::ffff:93.184.216.34]/", "::ffff:93.184.216.34", "https://[::ffff:5db8:d822]/"),
        ("http://good.example#@127.0.0.1:80/", "good.example", "http://good.example"),
        ("https://under_score.example/%2F/x", "under_score.example", "https://under_score.example/%2F/x"),
    ],
)
def test_public_urls_are_taken_as_they_stand(text: str, host: str, called: str) -> None:
    target = read_target(text, RULES)

    assert target.host == host
    assert str(target.url).startswith(called)


def test_path_beyond_ascii_is_percent_encoded() -> None:
    target = read_target("https://good.example/фото.jpg", RULES)

    assert str(target.url) == "https://good.example/%D1%84%D0%BE%D1%82%D0%BE.jpg"


def test_only_https_is_called_unless_a_setting_says_otherwise() -> None:
    rules = Rules(ports=RULES.ports, takes_http=False, allowed=Allowed())

    with pytest.raises(UrlInvalid, match="only https:// is called"):
        read_target("http://good.example/", rules)

    assert read_target("https://good.example/", rules).url.scheme == "https"


def test_public_addresses_may_be_called() -> None:
    public = [
        "1.1.1.1", "9.9.9.9", "11.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1",
        "192.167.255.255", "192.169.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "168.63.129.15",
        "2606:4700::1111", "2a00:1450::1", "64:ff9b::101:101", "::ffff:1.1.1.1", "2002:101:101::1",
    ]  # fmt: skip

    assert [text for text in public if not may_call(ip_address(text), Allowed())] == []


@pytest.mark.parametrize(
    ("allow", "address", "opened"),
    [
        ("10.1.0.0/16", "10.1.2.3", True),
        ("10.1.0.0/16", "10.2.2.3", False),
        ("10.1.0.0/16", "::ffff:10.1.2.3", True),
        ("10.1.0.0/16", "64:ff9b::a01:203", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("fd00::/8", "fd00::1", True),
        ("0.0.0.0/0", "10.0.0.1", True),
        ("0.0.0.0/0", "169.254.169.254", False),
        ("169.254.0.0/16", "169.254.169.254", False),
        ("169.254.169.254", "169.254.169.254", True),
        ("fd00::/8", "fd00:ec2::254", False),
    ],
)
def test_operator_opens_addresses_and_networks_but_metadata_only_by_its_own(
    allow: str, address: str, opened: bool
) -> None:
    assert may_call(ip_address(address), read_allowed([allow])) is opened


def test_opened_name_may_lead_inside_but_not_to_metadata() -> None:
    allowed = read_allowed(["receiver.lan", "*.corp"])

    assert [allowed.has_name(name) for name in ("receiver.lan", "x.receiver.lan", "a.corp", "corp")] == [
        True, False, True, False,
    ]  # fmt: skip
    assert may_call(ip_address("10.0.0.1"), allowed, name_allowed=True)
    assert not may_call(ip_address("169.254.169.254"), allowed, name_allowed=True)


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "10.0.0.300", "http://receiver.lan", "receiver lan", "*", "a,b"])
def test_entry_of_the_allow_list_that_is_none_stops_the_start(entry: str) -> None:
    with pytest.raises(SettingsInvalid, match="COLDSHELF_OUTGOING_ALLOW"):
        open_outgoing(load_settings(outgoing_allow=(entry,)))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALLOW", "PORTS", "HTTP", "PROXY"):
        monkeypatch.delenv(f"COLDSHELF_OUTGOING_{name}", raising=False)


def test_comma_lists_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLDSHELF_OUTGOING_ALLOW", "10.0.0.0/8, receiver.lan")
    monkeypatch.setenv("COLDSHELF_OUTGOING_PORTS", "443,8443")
    monkeypatch.setenv("COLDSHELF_ALLOW_ORIGINS", "https://front.example")

    settings = load_settings()

    assert settings.outgoing_allow == ("10.0.0.0/8", "receiver.lan")
    assert settings.outgoing_ports == (443, 8443)
    assert settings.allow_origins == ("https://front.example",)


def test_whatever_is_sent_is_refused_or_read_alike_by_another_parser() -> None:
    seed = int(os.environ.get("COLDSHELF_SEED", "1"))
    chance = random.Random(seed)
    letters = "0123456789abcdefxX.:/\\@#?%[]-_~!$&'()*+,;=\t\n\r \0。．ß\u200dİ"  # noqa: RUF001  # that is what it is about
    seeds = [text.replace("{port}", "80") for text in hostile_urls.REFUSED_UNASKED] + ["https://good.example/a?b=c#d"]
    taken = 0
    for _ in range(200_000 if os.environ.get("SOAK") else 20_000):
        text = list(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            at = chance.randint(0, len(text))
            text[at : at + chance.randint(0, 2)] = chance.choices(letters, k=chance.randint(0, 2))
        try:
            target = read_target("".join(text), RULES)
        except UrlInvalid:
            continue
        other = urlsplit(str(target.url))
        assert (other.hostname, other.username, other.scheme) == (target.url.raw_host, None, target.url.scheme), seed
        assert urlsplit("".join(text)).hostname.rstrip(".") == target.host, (seed, text)
        assert target.address is None or may_call(target.address, Allowed()), (seed, text)
        taken += 1
    assert taken > 100
