"""What is peculiar to SFTP: the host key, signing in, copies."""

import asyncio
import getpass
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import pytest

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.errors import AlreadyPublished, DestinationFailed
from tests.publishing.cutting import deliver, opened
from tests.publishing.proxy import CuttingProxy
from tests.publishing.servers import Ssh, free_port
from tests.publishing.support import files_below

LARGE = 9_000_000
OTHER = "SHA256:" + "A" * 43


def test_a_copy_is_made_by_the_server(openssh: Ssh, tmp_path: Path) -> None:
    proxy, secret = CuttingProxy([(0, openssh.port)]), {"private_key": openssh.private_key}
    with opened(openssh.address(tmp_path.name), secret) as destination:
        deliver(destination, "T/large", bytes(LARGE))

    with opened(openssh.address(tmp_path.name, port=proxy.port), secret) as near:
        near.copy("T/large", "U/large")

    assert (openssh.folder / tmp_path.name / "U/large").read_bytes() == bytes(LARGE)
    assert proxy.passed < 100_000
    proxy.close()


def test_a_server_without_a_host_key_in_the_address_shows_its_fingerprint(openssh: Ssh) -> None:
    address = openssh.address("a").partition("?")[0]

    with pytest.raises(SettingsInvalid, match=r"shows the host key SHA256:.*the address pins none") as caught:
        open_destination(address, {"private_key": openssh.private_key})

    assert f"?host_key={openssh.fingerprints['ed25519']} " in caught.value.cure


def test_another_host_key_is_refused_before_signing_in(openssh: Ssh) -> None:
    address = openssh.address("a").partition("?")[0] + f"?host_key={OTHER}"

    with (
        opened(address, {"private_key": openssh.private_key}) as destination,
        pytest.raises(DestinationFailed, match=f"the address pins {OTHER}") as caught,
    ):
        destination.begin("T")

    assert openssh.fingerprints["ed25519"] in str(caught.value)
    assert openssh.fingerprints["rsa"] in str(caught.value)
    assert "Ask the server's owner for its fingerprint" in caught.value.cure


def test_any_of_the_host_keys_may_be_pinned(openssh: Ssh) -> None:
    address = openssh.address("pins").partition("?")[0] + f"?host_key={OTHER},{openssh.fingerprints['rsa']}"

    with opened(address, {"private_key": openssh.private_key}) as destination:
        deliver(destination, "by-rsa", b"content")

        assert destination.size("by-rsa") == 7


def test_a_refused_key_is_said(openssh: Ssh) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()

    with (
        opened(openssh.address("a"), {"private_key": key}) as destination,
        pytest.raises(DestinationFailed, match="sign-in was refused") as caught,
    ):
        destination.begin("T")

    assert caught.value.cure == "Check its user, password or private key with the server's owner."


def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()

    with (
        opened(f"sftp://user@127.0.0.1:{port}/out?host_key={OTHER}", {"password": "s3cret!"}) as destination,
        pytest.raises(DestinationFailed, match=rf"^sftp://127.0.0.1:{port}/out/T: .*Connect call failed"),
    ):
        destination.begin("T")


def test_a_private_key_may_have_a_passphrase(openssh: Ssh) -> None:
    key = asyncssh.import_private_key(openssh.private_key)
    locked = key.export_private_key(passphrase="open sesame", rounds=50).decode()

    with opened(openssh.address("locked"), {"private_key": locked, "passphrase": "open sesame"}) as destination:
        deliver(destination, "a", b"content")

    with pytest.raises(SettingsInvalid, match="private_key: ") as caught:
        open_destination(openssh.address("locked"), {"private_key": locked, "passphrase": "wrong-one"})
    assert "wrong-one" not in str(caught.value)


class PasswordServer(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("partner", "s3cret!")


@contextmanager
def password_server(folder: Path) -> Iterator[str]:
    """A server that takes passwords, and knows none of OpenSSH's additions; gives the address of its root."""
    key = asyncssh.generate_private_key("ssh-rsa")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def factory(channel: asyncssh.SSHServerChannel) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(folder))

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=PasswordServer, server_host_keys=[key], sftp_factory=factory
        )

    acceptor = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield f"sftp://partner@127.0.0.1:{acceptor.get_port()}/?host_key={key.get_fingerprint()}"
    finally:
        acceptor.close()
        asyncio.run_coroutine_threadsafe(acceptor.wait_closed(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_password_signs_in(tmp_path: Path) -> None:
    with password_server(tmp_path) as address, opened(address, {"password": "s3cret!"}) as destination:
        destination.begin("T")
        deliver(destination, "T/a", b"content")
        destination.copy("T/a", "T/b")
        with pytest.raises(AlreadyPublished):
            deliver(destination, "T/a", b"again")
        destination.finish("T")

    assert files_below(tmp_path) == {"T/a", "T/b", "T/_SUCCESS"}
    assert (tmp_path / "T/b").read_bytes() == b"content"


def test_a_refused_password_is_not_shown(tmp_path: Path) -> None:
    with (
        password_server(tmp_path) as address,
        opened(address, {"password": "wr0ng-password"}) as destination,
        pytest.raises(DestinationFailed, match="sign-in was refused") as caught,
    ):
        destination.begin("T")

    assert "wr0ng-password" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "secret", "message"),
    [
        ("sftp://user:pw@host/a", {}, "its address holds a password"),
        ("sftp://host/a", {"password": "pw"}, "it lacks a host, a user, or a secret"),
        ("sftp://user@host/a", {}, "it lacks a host, a user, or a secret"),
        ("sftp://user@host/a", {"pasword": "pw"}, "unknown part of its secret: pasword"),
        ("sftp://user@host:port/a", {"password": "pw"}, "^Destination sftp://…: its address cannot be read$"),
        ("sftp://user:pa/ss@host/a", {}, "^Destination sftp://…: its address cannot be read$"),
        (f"sftp://user@host/a?host_key={OTHER}", {"private_key": "no key"}, "private_key: "),
    ],
)
def test_a_wrong_address_or_secret_is_refused(address: str, secret: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsInvalid, match=message):
        open_destination(address, secret)


def test_a_folder_below_home_is_meant_by_a_tilde(openssh: Ssh) -> None:
    home = Path.home()
    address = (
        f"sftp://{getpass.getuser()}@127.0.0.1:{openssh.port}/~/.coldshelf-test?host_key={openssh.fingerprints['rsa']}"
    )

    with opened(address, {"private_key": openssh.private_key}) as destination:
        deliver(destination, "T/a", b"content")
        found = (home / ".coldshelf-test/T/a").read_bytes()
        destination.remove("T")

    (home / ".coldshelf-test").rmdir()
    assert found == b"content"
