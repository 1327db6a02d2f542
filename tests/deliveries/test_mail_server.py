"""Mails handed to the public package `aiosmtpd`, which demands TLS and a sign-in: complete, right, none lost."""

import random
import ssl
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from coldshelf.entrypoints.cli.demo import free_port
from tests.deliveries.conftest import Pushing, Row
from tests.publishing.proxy import CuttingProxy
from tests.records.support import Handler

USER, PASSWORD = "coldshelf", "p4ss word"
CUTS = 12
WORDS = "Größe {|City|}\n.\n..two dots\nFrom here on\n" + "long " * 400


class Inbox:
    """Keeps what was handed in; the names of its methods are those that the package calls."""

    def __init__(self) -> None:
        self.port = free_port(0)
        self.mails: list[tuple[str, bytes, bool]] = []

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append((envelope.rcpt_tos[0], content, session.ssl is not None))
        return "250 2.0.0 taken"


def _signed_in(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
    is_right = isinstance(given, LoginPassword) and (given.login, given.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=is_right)


@pytest.fixture
def trust(tmp_path: Path) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "mail-ca.pem")
    return authority


@pytest.fixture
def inbox(trust: trustme.CA) -> Iterator[Inbox]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.issue_cert("127.0.0.1").configure_cert(tls)
    inbox = Inbox()
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=inbox.port,
        tls_context=tls,
        require_starttls=True,
        auth_required=True,
        authenticator=_signed_in,
    )
    controller.start()
    yield inbox
    controller.stop()


@pytest.fixture
def chosen(inbox: Inbox, tmp_path: Path) -> Row:
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": inbox.port,
        "smtp_user": USER,
        "smtp_password": PASSWORD,
        "outgoing_ca_file": tmp_path / "mail-ca.pem",
        "mail_from": "coldshelf@bottler.example",
        "public_url": "https://coldshelf.example",
    }


async def test_a_mail_is_what_was_written(push: Pushing, inbox: Inbox) -> None:
    await Handler(push.http, "MessageTemplate").save(
        Name="Ours", Event="alert.opened", Channel="email", Subject="Ä {|Location|}", Body=WORDS
    )
    await push.ann()
    await push.happen(await push.outlet("L1", City="Łódź"))

    await push.deliver()

    ((address, content, was_safe),) = inbox.mails
    mail = message_from_bytes(content, policy=default)
    text = mail.get_body(("plain",))
    assert (address, was_safe, mail.defects) == ("ann@example.org", True, [])
    assert mail["Subject"] == "Ä Outlet L1"
    assert text is not None
    assert text.get_content().replace("\r\n", "\n").startswith(WORDS.replace("{|City|}", "Łódź").rstrip())


async def test_no_mail_is_lost_where_the_connection_is_cut(push: Pushing, inbox: Inbox) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    choose, events = random.Random(seed), set()
    await push.ann()
    outlet = await push.outlet("L1")
    proxy = CuttingProxy([(0, inbox.port)])
    object.__setattr__(push.run.settings, "smtp_port", proxy.port)
    try:
        await push.happen(outlet)
        await push.deliver()
        traffic = proxy.passed
        for _ in range(CUTS):
            events.add(str((await push.happen(outlet)).id))
            proxy.cut_after(choose.randrange(1, traffic))
            await push.deliver()
            for _ in range(3):
                await push.deliver(later=timedelta(minutes=40))
    finally:
        proxy.close()

    ids = [str(message_from_bytes(content)["Message-ID"]) for _, content, _ in inbox.mails[1:]]
    assert {one.strip("<>").partition(".")[0] for one in ids} == events
    assert proxy.cuts == CUTS
    assert all(content.rstrip().endswith(b"--") for _, content, _ in inbox.mails), "none is torn"
