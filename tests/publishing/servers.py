"""Real servers of destinations on 127.0.0.1, started once for all tests that want them; skipped where they are missing.

Each fixture gives a function that makes a place nobody else uses: an address and its secret.
"""

import base64
import getpass
import hashlib
import hmac
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import asyncssh
import httpx
import pytest
import trustme

REPOSITORY = Path(__file__).parent.parent.parent
AZURITE = REPOSITORY / ".cache" / "npm" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, the same in every copy of it."""


@dataclass(frozen=True, slots=True)
class Place:
    address: str
    secret: dict[str, str] = field(default_factory=dict)


Places = Callable[[], Place]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """Run a server until the end of the block; go on once it listens."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    try:
        wait_for_port(process, port, folder)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for_port(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args!r}: {(folder / 'log').read_text()}") from None
            time.sleep(0.05)
        else:
            return


def account_sas(permissions: str = "rwdlacup") -> str:
    """Sign in to all of the account, as the portal's `Shared access signature` page does."""
    given = {"sv": "2021-08-06", "ss": "b", "srt": "sco", "sp": permissions, "se": "2099-01-01T00:00:00Z"}
    return _signed(given, ACCOUNT, permissions, "b", "sco", "", given["se"], "", "", given["sv"], "", "")


def container_sas(permissions: str = "racwdl") -> str:
    """Sign in to the container `exports` alone, as its `Shared access tokens` page does."""
    given = {"sv": "2021-08-06", "sr": "c", "sp": permissions, "se": "2099-01-01T00:00:00Z"}
    place = f"/blob/{ACCOUNT}/exports"
    return _signed(given, permissions, "", given["se"], place, "", "", "", given["sv"], "c", *[""] * 7)


def _signed(given: dict[str, str], *fields: str) -> str:
    digest = hmac.digest(base64.b64decode(ACCOUNT_KEY), "\n".join(fields).encode(), hashlib.sha256)
    return urlencode(given | {"sig": base64.b64encode(digest).decode()})


@contextmanager
def azurite_running(folder: Path, *options: str) -> Iterator[int]:
    """Start Azurite; give its port."""
    node = shutil.which("node")
    if node is None or not AZURITE.exists():
        pytest.skip(f"Azurite is not in {AZURITE.parents[5]}: run .ci/servers (needs Node.js and npm)")
    port = free_port()
    fixed = ("--blobHost", "127.0.0.1", "--blobPort", str(port), "--disableTelemetry")
    modes = ("--skipApiVersionCheck", "--inMemoryPersistence", "--loose", "--silent")
    with running([node, str(AZURITE), *fixed, *modes, *options], port, folder):
        yield port


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azurite with a container `exports`: its endpoint."""
    with azurite_running(tmp_path_factory.mktemp("azurite")) as port:
        endpoint = f"http://127.0.0.1:{port}"
        httpx.put(f"{endpoint}/{ACCOUNT}/exports?restype=container&{account_sas()}").raise_for_status()
        yield endpoint


@pytest.fixture(scope="session")
def azure_places(azurite: str) -> Places:
    def make() -> Place:
        address = f"azure://{ACCOUNT}/exports/{secrets.token_hex(4)}?endpoint={azurite}"
        return Place(address, {"account_key": ACCOUNT_KEY})

    return make


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto's S3 with a bucket `exports`."""
    pytest.importorskip("moto", reason="moto is not installed")
    port = free_port()
    start = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    with running([sys.executable, "-c", start], port, tmp_path_factory.mktemp("s3")):
        httpx.put(f"http://127.0.0.1:{port}/exports").raise_for_status()
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def s3_places(s3_endpoint: str) -> Places:
    def make() -> Place:
        address = f"s3://exports/{secrets.token_hex(4)}?region=eu-west-1&endpoint={s3_endpoint}"
        return Place(address, {"access_key_id": "tester", "secret_access_key": "not-a-real-key"})

    return make


@pytest.fixture(scope="session")
def file_places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return lambda: Place(tmp_path_factory.mktemp("places").as_uri())


SSHD = "/usr/sbin/sshd"
SFTP_SERVER = "/usr/lib/openssh/sftp-server"


@dataclass(frozen=True, slots=True)
class Ssh:
    """A running sshd: the fingerprints of its host keys by kind, and a key that signs in."""

    port: int
    folder: Path
    fingerprints: dict[str, str]
    private_key: str

    def address(self, folder: str, *, port: int | None = None, kind: str = "ed25519") -> str:
        """Give the address of a folder below the server's."""
        place = f"sftp://{getpass.getuser()}@127.0.0.1:{port or self.port}{self.folder}/{folder}"
        return f"{place}?host_key={self.fingerprints[kind]}"


@pytest.fixture(scope="session")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ssh]:
    """OpenSSH's server, with host keys and an authorized key of its own."""
    if not Path(SSHD).exists() or not Path(SFTP_SERVER).exists():
        pytest.skip(f"{SSHD} is missing: apt install openssh-server")
    if not Path("/run/sshd").exists():  # where sshd, run by root, puts what meets the network first
        Path("/run/sshd").mkdir(mode=0o755)
    folder = tmp_path_factory.mktemp("sshd")
    port = free_port()
    fingerprints = {}
    for kind, bits in (("ed25519", "256"), ("rsa", "2048")):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-f", folder / kind], check=True)
        fingerprints[kind] = asyncssh.read_public_key(folder / f"{kind}.pub").get_fingerprint()
    key = asyncssh.generate_private_key("ssh-ed25519")
    (folder / "authorized").write_bytes(key.export_public_key())
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/ed25519\nHostKey {folder}/rsa\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        f"PermitRootLogin prohibit-password\nSubsystem sftp {SFTP_SERVER}\nMaxStartups 100\n"
    )
    with running([SSHD, "-D", "-e", "-f", str(folder / "config")], port, folder):
        yield Ssh(port, tmp_path_factory.mktemp("sftp"), fingerprints, key.export_private_key().decode())


@pytest.fixture(scope="session")
def sftp_places(openssh: Ssh) -> Places:
    return lambda: Place(openssh.address(secrets.token_hex(4)), {"private_key": openssh.private_key})


VSFTPD = "/usr/sbin/vsftpd"
FTP_PASSWORD = "partner's password"
PASSIVE_PORTS = 40


@dataclass(frozen=True, slots=True)
class Ftp:
    """A running vsftpd: `files` is the folder that can be written to, `/out` of the server."""

    port: int
    passive: range
    files: Path
    ca: str
    mode: str

    @property
    def secret(self) -> dict[str, str]:
        return {"password": FTP_PASSWORD, "ca": self.ca}

    def address(self, folder: str, *, host: str = "127.0.0.1") -> str:
        return f"ftps://anonymous@{host}:{self.port}/out/{folder}?mode={self.mode}"


@contextmanager
def vsftpd_running(folder: Path, *options: str, mode: str = "explicit") -> Iterator[Ftp]:
    """Start vsftpd: TLS required, and sessions resumed on data connections; one user, whose password is in a list."""
    if not Path(VSFTPD).exists() or getpass.getuser() != "root":
        pytest.skip(f"{VSFTPD} is missing, or this is not root: apt install vsftpd")
    root, files = folder / "root", folder / "root" / "out"
    files.mkdir(parents=True)
    shutil.chown(files, "ftp", "nogroup")
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1", "127.0.0.2").private_key_and_cert_chain_pem.write_to_path(str(folder / "pem"))
    (folder / "passwords").write_text(f"{FTP_PASSWORD}\n")
    port, passive = free_port(), free_ports(PASSIVE_PORTS)
    given = (
        f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nseccomp_sandbox=NO\n"
        f"anonymous_enable=YES\nlocal_enable=NO\nftp_username=ftp\nanon_root={root}\nanon_umask=022\nwrite_enable=YES\n"
        "anon_upload_enable=YES\nanon_mkdir_write_enable=YES\nanon_other_write_enable=YES\nanon_world_readable_only=NO\n"
        f"secure_email_list_enable=YES\nemail_password_file={folder}/passwords\nsecure_chroot_dir={folder}/empty\n"
        f"ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n"
        f"require_ssl_reuse=YES\nssl_ciphers=HIGH\nrsa_cert_file={folder}/pem\nstrict_ssl_read_eof=YES\n"
        f"pasv_min_port={passive.start}\npasv_max_port={passive.stop - 1}\nhide_ids=YES\n"
        f"implicit_ssl={'YES' if mode == 'implicit' else 'NO'}\n"
    )
    (folder / "empty").mkdir()
    (folder / "config").write_text(given + "".join(f"{option}\n" for option in options))
    with running([VSFTPD, str(folder / "config")], port, folder):
        yield Ftp(port, passive, files, authority.cert_pem.bytes().decode(), mode)


def free_ports(count: int) -> range:
    """Find neighbouring ports that nobody uses."""
    while True:
        first = secrets.randbelow(20_000) + 12_000
        with suppress(OSError), ExitStack() as stack:
            for port in range(first, first + count):
                listener = stack.enter_context(socket.socket())
                listener.bind(("127.0.0.1", port))
            return range(first, first + count)


@pytest.fixture(scope="session")
def vsftpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ftp]:
    with vsftpd_running(tmp_path_factory.mktemp("vsftpd")) as server:
        yield server


@pytest.fixture(scope="session")
def ftps_places(vsftpd: Ftp) -> Places:
    return lambda: Place(vsftpd.address(secrets.token_hex(4)), vsftpd.secret)
