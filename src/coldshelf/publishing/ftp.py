"""Connections to an FTP server over TLS: the standard library's client, with what servers ask of data connections.

Raises ConnectionError where a connection is lost, FileNotFoundError where the server says that something is not there
(it says the same of what may not be seen), and other OSErrors for what it refuses.
"""

import ftplib
import ssl
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socket import socket
from typing import BinaryIO, ClassVar, cast

from coldshelf.publishing.address import without_secret
from coldshelf.publishing.destination import Secret
from coldshelf.publishing.errors import DestinationFailed
from coldshelf.publishing.ftp_listing import list_folder
from coldshelf.publishing.remote import Listed
from coldshelf.publishing.streams import CHUNK_BYTES

CONNECT_SECONDS = 15
IDLE_SECONDS = 60
STALE_SECONDS = 20
"""From then on, an idle connection is asked whether it is still there before it is used again."""
EXPLICIT_PORT = 21
IMPLICIT_PORT = 990


@dataclass(frozen=True, slots=True, kw_only=True)
class FtpSettings:
    """Where and how to sign in. `implicit` speaks TLS from the first byte."""

    shown: str
    host: str
    port: int
    user: str
    implicit: bool
    secret: Secret = field(repr=False)


class _Client(ftplib.FTP_TLS):
    """FTP_TLS that also speaks implicit TLS, asks for EPSV first, and resumes its session on data connections."""

    def __init__(self, context: ssl.SSLContext, *, implicit: bool) -> None:
        super().__init__(context=context, timeout=CONNECT_SECONDS, encoding="utf-8")
        self._implicit = implicit

    def getresp(self) -> str:
        # The first answer comes inside TLS already; the library asks for it right after the connection is made.
        if self._implicit and self.sock and self.file and not isinstance(self.sock, ssl.SSLSocket):
            self.file.close()
            self.sock = self.context.wrap_socket(self.sock, server_hostname=self.host)
            self.file = self.sock.makefile("r", encoding=self.encoding)
        return super().getresp()

    def wait_at_most(self, seconds: float) -> None:
        """Change the time limit of this connection and of the data connections to come."""
        self.timeout = seconds
        if self.sock:
            self.sock.settimeout(seconds)

    def makepasv(self) -> tuple[str, int]:
        try:
            peer = self.sock.getpeername() if self.sock else None
            return ftplib.parse229(self.sendcmd("EPSV"), peer)  # noqa: S321  # inside TLS
        except ftplib.error_perm:
            return super().makepasv()

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket, int | None]:
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321  # TLS follows
        try:
            # Servers that demand it close data connections that do not resume the session of the commands.
            session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
            return self.context.wrap_socket(connection, server_hostname=self.host, session=session), size
        except BaseException:
            connection.close()
            raise


class FtpPool:
    """Hands out connections: each carries one transfer or one command at a time."""

    def __init__(self, settings: FtpSettings) -> None:
        self._settings = settings
        self._context = ssl.create_default_context(cadata=settings.secret.get("ca"))
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._idle: list[tuple[float, _Client]] = []

    def take(self) -> _Client:
        while self._idle:
            since, client = self._idle.pop()
            if time.monotonic() - since < STALE_SECONDS:
                return client
            try:
                client.voidcmd("NOOP")
            except ftplib.all_errors:
                client.close()
            else:
                return client
        return self._connect()

    def give_back(self, client: _Client) -> None:
        self._idle.append((time.monotonic(), client))

    @contextmanager
    def client(self) -> Iterator[_Client]:
        """Lend a connection; it is closed, and not lent again, where it broke."""
        with self.translated():
            client = self.take()
            try:
                yield client
            except ftplib.error_perm:
                self.give_back(client)
                raise
            except BaseException:
                client.close()
                raise
            self.give_back(client)

    @contextmanager
    def translated(self) -> Iterator[None]:
        try:
            yield
        except ftplib.error_perm as error:
            kind = FileNotFoundError if str(error).startswith("550") else OSError
            raise kind(self._said(error)) from None
        except (ftplib.Error, EOFError, OSError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise ConnectionError(self._said(error)) from None

    def size_of(self, path: str) -> int | None:
        with suppress(FileNotFoundError), self.client() as client:
            client.voidcmd("TYPE I")
            return client.size(path)
        return None

    def rename(self, path: str, new: str) -> None:
        with self.client() as client:
            client.rename(path, new)

    def delete(self, path: str) -> None:
        with self.client() as client:
            client.delete(path)

    def can_copy(self) -> bool:
        return False

    def copied(self, source: str, path: str) -> int:
        raise OSError(f"FTP has no command that copies {source} to {path}")

    def read(self, path: str, place: str) -> BinaryIO:
        """Give a copy of a file, which goes when it is closed."""
        file = tempfile.TemporaryFile()  # noqa: SIM115  # handed on open
        try:
            with self.client() as client:
                client.retrbinary(f"RETR {path}", file.write, blocksize=CHUNK_BYTES)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return cast("BinaryIO", file)

    def upload(self, path: str) -> "Upload":
        return Upload(self, path)

    def make_folder(self, path: str) -> None:
        with self.client() as client:
            client.mkd(path)

    def remove_folder(self, path: str) -> None:
        with self.client() as client:
            client.rmd(path)

    def is_folder(self, path: str) -> bool:
        """Tell whether there is a folder. The connection is not lent again: it stands there now."""
        with suppress(FileNotFoundError), self.translated():
            client = self.take()
            try:
                client.cwd(path)
            finally:
                client.close()
            return True
        return False

    def listed(self, folder: str) -> list[Listed]:
        """Give what is in a folder, with hidden files; nothing where it is not there."""
        with suppress(FileNotFoundError), self.client() as client:
            return list_folder(client, folder)
        return []

    def close(self) -> None:
        for _, client in self._idle:
            with suppress(*ftplib.all_errors):
                client.quit()
            client.close()
        self._idle.clear()

    def _connect(self) -> _Client:
        settings = self._settings
        client = _Client(self._context, implicit=settings.implicit)
        try:
            client.connect(settings.host, settings.port)
            client.login(settings.user, settings.secret["password"], secure=not settings.implicit)
            client.prot_p()
            client.wait_at_most(IDLE_SECONDS)
        except ssl.SSLCertVerificationError as error:
            client.close()
            raise DestinationFailed(
                f"{settings.shown}: its certificate is not trusted: {error.verify_message}",
                cure="Use the host name that the certificate is for; give an authority of its own as the secret `ca`.",
            ) from None
        except ftplib.error_perm as error:
            client.close()
            raise DestinationFailed(
                f"{settings.shown}: sign-in was refused: {self._said(error)}",
                cure="Check its user and password with the server's owner, and that it takes TLS (mode=implicit?).",
            ) from None
        except BaseException:
            client.close()
            raise
        return client

    def _said(self, error: BaseException) -> str:
        return without_secret(str(error) or type(error).__name__, self._settings.secret)


class Upload:
    """A file on its way, on a connection of its own. Each send is a record of TLS at least."""

    at_once: ClassVar[int] = CHUNK_BYTES

    def __init__(self, pool: FtpPool, path: str) -> None:
        self._pool = pool
        with pool.translated():
            self._client = pool.take()
            try:
                self._client.voidcmd("TYPE I")
                self._data: socket | None = self._client.transfercmd(f"STOR {path}")
            except BaseException:
                self._client.close()
                raise

    def send(self, chunk: bytes) -> None:
        with self._pool.translated():
            if self._data is None:
                raise EOFError("the upload has ended")
            self._data.sendall(chunk)

    def finish(self) -> None:
        """Close it, and wait until the server says that it has all."""
        with self._pool.translated():
            data, self._data = self._data, None
            if data is None:
                raise EOFError("the upload has ended")
            try:
                with data:
                    if isinstance(data, ssl.SSLSocket):
                        with suppress(OSError):  # some servers hang up at once; the size is looked at anyhow
                            data.unwrap()
                self._client.voidresp()
            except BaseException:
                self._client.close()
                raise
            self._pool.give_back(self._client)

    def abort(self) -> None:
        data, self._data = self._data, None
        if data is not None:
            data.close()
            self._client.close()
