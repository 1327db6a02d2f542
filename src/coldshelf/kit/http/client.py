"""The guarded client: every outgoing call of the house goes through it."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address

import aiohttp
from aiohttp.hdrs import ACCEPT_ENCODING, CONTENT_ENCODING, HOST, LOCATION, USER_AGENT
from yarl import URL

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.kit.http.addresses import read_allowed
from coldshelf.kit.http.errors import (
    AnswerBroken,
    AnswerTooLarge,
    CallFailed,
    CallTimedOut,
    ConnectFailed,
    Redirected,
    SchemeRefused,
    StatusUnexpected,
    TlsFailed,
    UrlInvalid,
)
from coldshelf.kit.http.names import Guard, Lookup, family_of, system_lookup
from coldshelf.kit.http.targets import Rules, Target, read_target
from coldshelf.kit.settings import Settings

CHUNK = 64 * 1024
MOST_REDIRECTS = 3
MOST_CONNECTIONS = 300
MOST_CONNECTIONS_TO_ONE = 16
LONGEST_HEADER = 8190
MOST_HEADERS = 100
AGENT = "Coldshelf"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Answer:
    """An answer whose body is still to come; at most `largest` bytes of it are given."""

    def __init__(self, target: Target, response: aiohttp.ClientResponse, largest: int) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._target = target
        self._response = response
        self._largest = largest

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the body piece by piece; raise AnswerTooLarge as soon as it is certain."""
        if (self._response.content_length or 0) > self._largest:
            raise self._too_large()
        chunks, size = self._response.content.iter_chunked(CHUNK), 0
        while True:
            with _translated(self._target):
                chunk = await anext(chunks, b"")
            if not chunk:
                return
            size += len(chunk)
            if size > self._largest:
                raise self._too_large()
            yield chunk

    async def read(self) -> bytes:
        """Give the whole body."""
        return b"".join([chunk async for chunk in self.chunks()])

    def _too_large(self) -> AnswerTooLarge:
        return AnswerTooLarge(f"{self._target.shown}: the answer is larger than {self._largest:,} bytes")


class GuardedClient:
    """Calls what may be called. Opens its connections when they are first needed."""

    def __init__(
        self,
        rules: Rules,
        guard: Guard,
        *,
        within: timedelta,
        connect_within: timedelta,
        proxy: URL | None = None,
        source_address: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        self._rules = rules
        self._guard = guard
        self._within = within
        self._connect_within = connect_within
        self._proxy = proxy
        self._source = (source_address, 0) if source_address else None
        self._tls = _trusting(ca_file) if ca_file else None
        self._opened: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()

    def check(self, url: str) -> str:
        """Check a URL as far as it can be without asking for its name; give it without its query, to be shown."""
        return self._target(url).shown

    async def send(
        self,
        method: str,
        url: str,
        *,
        largest: int,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        within: timedelta | None = None,
    ) -> Reply:
        """Make one call and read its answer, whatever its status; a redirect raises Redirected."""
        target = self._target(url)
        async with self._call(method, target, largest, within or self._within, headers=headers, body=body) as answer:
            if LOCATION in answer.headers and answer.status in range(300, 400):
                raise Redirected(f"{target.shown}: status {answer.status}, redirects are not followed")
            return Reply(answer.status, answer.headers, await answer.read())

    @asynccontextmanager
    async def fetch(self, url: str, *, largest: int, within: timedelta | None = None) -> AsyncIterator[Answer]:
        """Get what stands at a URL; follow at most three redirects, each checked anew. Raises StatusUnexpected."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (within or self._within).total_seconds()
        target = self._target(url)
        for _ in range(MOST_REDIRECTS + 1):
            left = timedelta(seconds=max(0.001, deadline - loop.time()))
            async with self._call("GET", target, largest, left) as answer:
                if LOCATION in answer.headers and answer.status in range(300, 400):
                    target = self._redirected(target, answer.headers[LOCATION])
                    continue
                if answer.status != 200:
                    raise StatusUnexpected(f"{target.shown}: status {answer.status}")
                yield answer
                return
        raise Redirected(f"{url.partition('?')[0]}: more than {MOST_REDIRECTS} redirects")

    def _target(self, url: str) -> Target:
        target = read_target(url, self._rules)
        if self._proxy is not None and target.url.scheme == "http":
            # A proxy looks up the name of a plain request itself, and could be led elsewhere.
            raise SchemeRefused(f"{target.shown}: through the proxy only https:// is called", cure="Use https://.")
        return target

    def _redirected(self, target: Target, location: str) -> Target:
        """Check where a redirect leads; what stands there is not repeated, it may come from inside."""
        if "\\" in location:
            raise UrlInvalid(f"{target.shown}: redirected to what can be read in two ways")
        try:
            found = self._target(location if _ABSOLUTE.match(location) else str(target.url.join(URL(location))))
        except UrlInvalid as error:
            raise type(error)(f"{target.shown}: redirected to what is not called") from error
        except ValueError as error:
            raise UrlInvalid(f"{target.shown}: redirected to what is no URL") from error
        if target.url.scheme == "https" and found.url.scheme != "https":
            raise Redirected(f"{target.shown}: redirected from https:// to http://")
        return found

    @asynccontextmanager
    async def _call(
        self,
        method: str,
        target: Target,
        largest: int,
        within: timedelta,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> AsyncIterator[Answer]:
        with _translated(target):
            url, name = await self._pinned(target, within) if self._proxy else (target.url, None)
            response = await self._session().request(
                method,
                url,
                data=body,
                headers=dict(headers or {}) | ({HOST: _host_header(target)} if name else {}),
                allow_redirects=False,
                proxy=self._proxy,
                server_hostname=name,
                timeout=self._timeout(within),
            )
        async with response:
            # Nothing compressed was asked for: a small answer must not become a large one here.
            if response.headers.get(CONTENT_ENCODING, "identity").lower() != "identity":
                raise AnswerBroken(f"{target.shown}: the answer is compressed, which was not asked for")
            yield Answer(target, response, largest)

    def _timeout(self, within: timedelta) -> aiohttp.ClientTimeout:
        connect = min(self._connect_within, within)
        return aiohttp.ClientTimeout(total=within.total_seconds(), sock_connect=connect.total_seconds())

    async def _pinned(self, target: Target, within: timedelta) -> tuple[URL, str]:
        """Give the URL by its checked address, since the proxy would look up a name again, and the name for TLS."""
        if target.address is not None:
            return target.url, target.host
        async with asyncio.timeout(within.total_seconds()):
            addresses = await self._guard.addresses(target.host)
        return target.url.with_host(str(addresses[0])), target.host

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            direct = self._proxy is None
            connector = aiohttp.TCPConnector(
                # With a proxy nothing but the operator's own proxy is connected to, which may well be inside.
                resolver=self._guard if direct else None,
                use_dns_cache=not direct,
                limit=MOST_CONNECTIONS,
                limit_per_host=MOST_CONNECTIONS_TO_ONE if direct else 0,
                local_addr=self._source,
                ssl=self._tls or ssl.create_default_context(),
            )
            self._opened = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={USER_AGENT: AGENT, ACCEPT_ENCODING: "identity"},
                auto_decompress=False,
                trust_env=False,
                max_line_size=LONGEST_HEADER,
                max_field_size=LONGEST_HEADER,
                max_headers=MOST_HEADERS,
            )
        return self._opened


def open_outgoing(settings: Settings, lookup: Lookup = system_lookup) -> GuardedClient:
    """Make the client that the settings ask for; raise SettingsInvalid naming the one that cannot be used."""
    allowed = read_allowed(settings.outgoing_allow)
    proxy = settings.outgoing_proxy
    source = settings.outgoing_source_address
    try:
        family: socket.AddressFamily | None = family_of(ip_address(source)) if source else None
        return GuardedClient(
            Rules(frozenset(settings.outgoing_ports), settings.outgoing_http, allowed),
            Guard(lookup, allowed, family),
            within=settings.outgoing_timeout,
            connect_within=settings.outgoing_connect_timeout,
            proxy=_proxy_url(proxy.get_secret_value()) if proxy else None,
            source_address=source,
            ca_file=str(settings.outgoing_ca_file) if settings.outgoing_ca_file else None,
        )
    except (ValueError, OSError) as error:
        raise SettingsInvalid(f"COLDSHELF_OUTGOING_…: {error}") from error


def _trusting(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(ca_file)
    return context


def _proxy_url(text: str) -> URL:
    url = URL(text)
    if url.scheme not in {"http", "https"} or not url.host:
        raise SettingsInvalid("COLDSHELF_OUTGOING_PROXY takes http://host:port")
    return url


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.url.is_default_port() else f"{host}:{target.url.port}"


@contextmanager
def _translated(target: Target) -> Iterator[None]:
    """Word what goes wrong on the way; an answer's own words are never repeated."""
    try:
        yield
    except TimeoutError as error:
        raise CallTimedOut(f"{target.shown}: no answer in time") from error
    except aiohttp.ClientSSLError as error:
        raise TlsFailed(f"{target.shown}: the certificate could not be verified") from error
    except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError) as error:
        raise AnswerBroken(f"{target.shown}: the answer broke off") from error
    except aiohttp.ClientHttpProxyError as error:
        raise ConnectFailed(f"{target.shown}: the proxy did not connect") from error
    except aiohttp.ClientResponseError as error:
        raise AnswerBroken(f"{target.shown}: the answer is no HTTP, or its headers are too long") from error
    except (aiohttp.ClientError, OSError) as error:
        raise ConnectFailed(f"{target.shown}: could not connect") from error
    except ValueError as error:  # a header with a line break, for one
        raise CallFailed(f"{target.shown}: the call could not be made") from error
