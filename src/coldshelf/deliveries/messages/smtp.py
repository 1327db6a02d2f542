"""Takes one mail to the operator's mail server, within a time, over TLS unless that is switched off. Blocking."""

import smtplib
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from coldshelf.deliveries.models import Answer
from coldshelf.kit.http.errors import CallFailed, CallTimedOut, ConnectFailed, TlsFailed
from coldshelf.kit.settings import Settings, SmtpTls

STAGE = "stage"
"""The header of an answer that says which command it answers: mail, rcpt or data."""
GREETED, DATA_WANTED = 220, 354
PORTS = {SmtpTls.STARTTLS: 587, SmtpTls.IMPLICIT: 465, SmtpTls.NONE: 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mails are handed in; `name` is what this side calls itself."""

    name: str
    host: str
    port: int
    user: str
    password: str
    tls: SmtpTls
    trust: ssl.SSLContext

    @classmethod
    def of(cls, settings: Settings) -> "MailServer":
        trust = ssl.create_default_context()
        if settings.outgoing_ca_file:
            trust.load_verify_locations(settings.outgoing_ca_file)
        return cls(
            name=settings.mail_from.rpartition("@")[2],
            host=settings.smtp_host or "",
            port=settings.smtp_port or PORTS[settings.smtp_tls],
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else "",
            tls=settings.smtp_tls,
            trust=trust,
        )


class _Session(smtplib.SMTP):
    """A session whose every wait ends at one moment, so that all of it does."""

    ends_at = 0.0

    def send(self, s: str | bytes) -> None:  # type: ignore[override]  # the stubs know more kinds of buffers
        self._limit()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        self._limit()
        return super().getreply()

    def _limit(self) -> None:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self.sock is not None:
            self.sock.settimeout(left)


class _ImplicitSession(_Session, smtplib.SMTP_SSL):
    """The same, in TLS from the first byte."""


def send_mail(server: MailServer, sender: str, address: str, mail: bytes, within: timedelta) -> Answer:
    """Hand a mail in; give what the server said of it, or raise CallFailed when it may work later."""
    session = _session(server, within)
    try:
        _connect(session, server)
        return _hand_in(session, sender, address, mail)
    except TimeoutError as error:
        raise CallTimedOut(
            f"The mail server did not answer in {within.total_seconds():.0f} seconds", cure=""
        ) from error
    except ssl.SSLError as error:
        cure = "Use a certificate for this name from a public authority, or set COLDSHELF_OUTGOING_CA_FILE."
        raise TlsFailed(f"The mail server's certificate or TLS is refused: {error}", cure=cure) from error
    except smtplib.SMTPAuthenticationError as error:
        raise CallFailed(f"The mail server refused the sign-in: {_said(error.smtp_code, error.smtp_error)}") from error
    except smtplib.SMTPNotSupportedError as error:
        raise TlsFailed(f"The mail server lacks what is needed: {error}", cure="Set COLDSHELF_SMTP_TLS.") from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise ConnectFailed(f"The mail server could not be spoken to: {error}", cure="") from error
    finally:
        session.close()


def _session(server: MailServer, within: timedelta) -> _Session:
    seconds = within.total_seconds()
    session = (
        _ImplicitSession(local_hostname=server.name, timeout=seconds, context=server.trust)
        if server.tls is SmtpTls.IMPLICIT
        else _Session(local_hostname=server.name, timeout=seconds)
    )
    session.ends_at = time.monotonic() + seconds
    return session


def _connect(session: _Session, server: MailServer) -> None:
    session._host = server.host  # type: ignore[attr-defined]  # noqa: SLF001  # what starttls checks the certificate for
    code, said = session.connect(server.host, server.port)
    if code != GREETED:
        raise smtplib.SMTPConnectError(code, said)
    session.ehlo_or_helo_if_needed()
    if server.tls is SmtpTls.STARTTLS:
        session.starttls(context=server.trust)
        session.ehlo_or_helo_if_needed()
    if server.user:
        session.login(server.user, server.password)


def _hand_in(session: _Session, sender: str, address: str, mail: bytes) -> Answer:
    steps: tuple[tuple[str, Callable[[], tuple[int, bytes]]], ...] = (
        ("mail", lambda: session.mail(sender, [f"size={len(mail)}"] if session.has_extn("size") else [])),
        ("rcpt", lambda: session.rcpt(address)),
        ("data", lambda: _data(session, mail)),
    )
    answer = Answer(status=0)
    for stage, step in steps:
        code, said = step()
        answer = Answer(status=code, text=_said(code, said), headers={STAGE: stage})
        if code not in range(200, 300):
            break
    # The mail is taken or refused: what a server says to a good-bye changes nothing.
    with suppress(smtplib.SMTPException, OSError):
        session.quit()
    return answer


def _data(session: _Session, mail: bytes) -> tuple[int, bytes]:
    try:
        return session.data(mail)
    except smtplib.SMTPDataError as error:
        said = error.smtp_error
        return error.smtp_code, said if isinstance(said, bytes) else said.encode()


def _said(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"
