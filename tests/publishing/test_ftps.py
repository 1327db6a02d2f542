"""What is peculiar to FTP over TLS: certificates, both modes, resumed sessions, signing in."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.errors import DestinationFailed
from tests.publishing.cutting import deliver, opened
from tests.publishing.servers import Ftp, free_port, vsftpd_running
from tests.publishing.support import files_below


@pytest.fixture
def folder(vsftpd: Ftp, tmp_path: Path) -> Path:
    return vsftpd.files / tmp_path.name


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_in_each_version_of_tls(
    vsftpd: Ftp, folder: Path, monkeypatch: pytest.MonkeyPatch, version: ssl.TLSVersion
) -> None:
    context = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda **given: limited(context(**given), version))

    with opened(vsftpd.address(folder.name), vsftpd.secret) as destination:
        for number in range(3):
            deliver(destination, f"T/{number}", b"content")

    assert files_below(folder) == {"T/0", "T/1", "T/2"}


def limited(context: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    context.maximum_version = version
    return context


@pytest.fixture(scope="module")
def implicit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ftp]:
    with vsftpd_running(tmp_path_factory.mktemp("vsftpd"), mode="implicit") as server:
        yield server


def test_tls_may_be_implicit(implicit: Ftp) -> None:
    with opened(implicit.address("T"), implicit.secret) as destination:
        destination.begin("R")
        deliver(destination, "R/a", b"content")
        destination.finish("R")

    assert files_below(implicit.files) == {"T/R/a", "T/R/_SUCCESS"}


def test_a_certificate_that_nobody_vouches_for_is_refused(vsftpd: Ftp) -> None:
    secret = {"password": vsftpd.secret["password"]}

    with opened(vsftpd.address("T"), secret) as destination, pytest.raises(DestinationFailed) as caught:
        destination.begin("R")

    assert "its certificate is not trusted: " in str(caught.value)
    assert "the secret `ca`" in caught.value.cure


def test_a_certificate_for_another_host_is_refused(vsftpd: Ftp) -> None:
    address = vsftpd.address("T", host="localhost")

    with (
        opened(address, vsftpd.secret) as destination,
        pytest.raises(DestinationFailed, match="not trusted: Hostname mismatch"),
    ):
        destination.begin("R")


def test_a_refused_password_is_not_shown(vsftpd: Ftp) -> None:
    secret = vsftpd.secret | {"password": "wr0ng-password"}

    with (
        opened(vsftpd.address("T"), secret) as destination,
        pytest.raises(DestinationFailed, match="sign-in was refused: 530") as caught,
    ):
        destination.begin("R")

    assert "wr0ng-password" not in str(caught.value)


def test_a_folder_that_may_not_be_written_is_named(vsftpd: Ftp) -> None:
    address = vsftpd.address("").replace("/out/", "/")

    with (
        opened(address, vsftpd.secret) as destination,
        pytest.raises(DestinationFailed, match=rf"^ftps://127.0.0.1:{vsftpd.port}/T: 550 "),
    ):
        destination.begin("T")


def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()

    with (
        opened(f"ftps://user@127.0.0.1:{port}/out", {"password": "s3cret!"}) as destination,
        pytest.raises(DestinationFailed, match=rf"^ftps://127.0.0.1:{port}/out/T: .*refused"),
    ):
        destination.begin("T")


@pytest.mark.parametrize(
    ("address", "secret", "message"),
    [
        ("ftps://user:pw@host/a", {}, "its address holds a password"),
        ("ftps://host/a", {"password": "pw"}, "it lacks a host, a user"),
        ("ftps://user@host/a", {}, "it lacks a host, a user"),
        ("ftps://user@host/a?mode=plain", {"password": "pw"}, "a known mode"),
        ("ftps://user@host/a", {"password": "pw", "ca": "no certificate"}, "`ca` is no certificate"),
    ],
)
def test_a_wrong_address_or_secret_is_refused(address: str, secret: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsInvalid, match=message):
        open_destination(address, secret)
