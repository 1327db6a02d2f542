"""What is peculiar to object stores: blocks, signing in, and folders taken by an object."""

import base64
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import trustme

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.errors import AlreadyPublished, DestinationFailed
from coldshelf.publishing.object_part import BLOCK_BYTES
from tests.publishing.servers import (
    ACCOUNT,
    ACCOUNT_KEY,
    Places,
    account_sas,
    azurite_running,
    container_sas,
    free_port,
)

LARGE = 3 * BLOCK_BYTES + 5


@pytest.fixture(params=["azure_places", "s3_places"])
def destination(request: pytest.FixtureRequest) -> Destination:
    places: Places = request.getfixturevalue(request.param)
    place = places()
    return open_destination(place.address, place.secret)


def write(destination: Destination, path: str, content: bytes) -> None:
    part = destination.part(path)
    for start in range(0, len(content), 1_000_000):
        part.write(memoryview(content)[start : start + 1_000_000])
    part.commit()


def test_a_part_of_many_blocks_reads_back(destination: Destination) -> None:
    content = secrets.token_bytes(LARGE)

    write(destination, "T/large", content)

    with destination.open("T/large") as file:
        assert file.read() == content
        file.seek(-3, 2)
        assert file.read() == content[-3:]


def test_a_part_of_many_blocks_is_not_seen_before_its_end_and_leaves_nothing(destination: Destination) -> None:
    part = destination.part("T/large")
    for _ in range(3):
        part.write(bytes(BLOCK_BYTES))

    assert destination.size("T/large") is None

    part.discard()
    assert list(destination.entries("T")) == []


def test_a_discarded_upload_leaves_no_blocks_to_pay_for(s3_places: Places, s3_endpoint: str) -> None:
    place = s3_places()
    part = open_destination(place.address, place.secret).part("T/large")
    for _ in range(3):
        part.write(bytes(BLOCK_BYTES))

    part.discard()

    assert "<Upload>" not in httpx.get(f"{s3_endpoint}/exports?uploads").text


def test_a_part_of_many_blocks_is_never_overwritten(destination: Destination) -> None:
    write(destination, "T/large", b"first")

    with pytest.raises(AlreadyPublished, match="T/large exists already"):
        write(destination, "T/large", bytes(LARGE))

    assert destination.size("T/large") == 5


def test_one_of_two_that_write_the_same_small_part_wins(destination: Destination) -> None:
    first, second = destination.part("T/a"), destination.part("T/a")
    first.write(b"first")
    second.write(b"second")

    first.commit()

    with pytest.raises(AlreadyPublished):
        second.commit()
    with destination.open("T/a") as file:
        assert file.read() == b"first"


def test_a_folder_is_taken_by_an_object_that_is_gone_when_it_is_finished(destination: Destination) -> None:
    destination.begin("T")
    taken = [entry.path for entry in destination.entries("T")]

    destination.finish("T")

    assert taken == ["T/.begun"]
    assert [entry.path for entry in destination.entries("T")] == ["T/_SUCCESS"]


def test_a_finished_folder_is_not_taken_again(destination: Destination) -> None:
    destination.begin("T")
    destination.finish("T")

    with pytest.raises(AlreadyPublished, match="T exists already"):
        destination.begin("T")

    assert [entry.path for entry in destination.entries("T")] == ["T/_SUCCESS"]


def test_one_of_many_takes_a_folder(destination: Destination) -> None:
    taken: list[bool] = []

    def take() -> None:
        try:
            destination.begin("T")
        except AlreadyPublished:
            taken.append(False)
        else:
            taken.append(True)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == [False] * 7 + [True]


def test_an_upload_that_breaks_is_said_to_the_one_who_writes(azure_places: Places) -> None:
    place = azure_places()
    address = place.address.replace("/exports/", "/nowhere/")
    part = open_destination(address, place.secret).part("T/large")

    def write_on() -> None:
        for _ in range(100):
            part.write(bytes(BLOCK_BYTES))

    with pytest.raises(DestinationFailed, match="ContainerNotFound") as caught:
        write_on()

    assert caught.value.cure == "Make the container or bucket first, or correct the address."
    part.discard()


def test_a_shared_access_signature_signs_in(azure_places: Places) -> None:
    address = azure_places().address
    destination = open_destination(address, {"sas": "?" + account_sas()})
    destination.begin("T")

    write(destination, "T/large", bytes(LARGE))

    assert destination.size("T/large") == LARGE


def test_a_signature_of_the_container_does_all_that_a_run_needs(azure_places: Places) -> None:
    destination = open_destination(azure_places().address, {"sas": container_sas()})
    for folder in ("T/whole", "T/gone"):
        destination.begin(folder)
        write(destination, f"{folder}/a", b"content")
        destination.finish(folder)
    destination.copy("T/whole/a", "T/whole/b")

    destination.remove("T/gone")

    assert [entry.path for entry in destination.entries("T")] == ["T/whole/_SUCCESS", "T/whole/a", "T/whole/b"]


@pytest.mark.parametrize("secret", [{"sas": account_sas()[:-12] + "AAAA%3D"}, {"account_key": "d3JvbmcgIQ" * 4}])
def test_a_refused_secret_is_not_shown(azure_places: Places, secret: dict[str, str]) -> None:
    destination = open_destination(azure_places().address, secret)

    with pytest.raises(DestinationFailed, match=r"/exports/\w+/T: Auth\w+: Server failed") as caught:
        destination.begin("T")

    assert "Check its secret" in caught.value.cure
    assert caught.value.__cause__ is None
    assert "sig=" not in str(caught.value)
    assert not any(value in str(caught.value) for value in secret.values())


@pytest.mark.parametrize(
    ("address", "secret", "message", "cure"),
    [
        ("azure://account", {}, "no container", "Write azure://ACCOUNT/CONTAINER/prefix"),
        ("s3:///prefix", {}, "no bucket", "Write s3://BUCKET/prefix?region=REGION"),
        ("azure://u:pw@account/c", {}, "its address holds a password", "Give it as the secret `password` instead"),
        ("azure://account/c?sas=sv", {}, "unknown option sas", "Options are: endpoint"),
        ("azure://account/c", {"sass": "x"}, "unknown part of its secret: sass", "A secret for it holds: account_key"),
        ("azure://account/c", {"account_key": "?!"}, "Invalid Access Key", "Correct its address or its secret"),
        ("azure://a/c?endpoint=https://evil.example", {}, "gets no sign-in of this machine", "Add a secret"),
        ("s3://b?endpoint=https://evil.example", {"ca": "x"}, "gets no sign-in of this machine", "Add a secret"),
    ],
)
def test_a_wrong_address_or_secret_is_refused(address: str, secret: dict[str, str], message: str, cure: str) -> None:
    with pytest.raises(SettingsInvalid, match=message) as caught:
        open_destination(address, secret)

    assert caught.value.cure.startswith(cure)
    assert "pw@" not in str(caught.value)


def token() -> str:
    """Make a token as Azurite's `--oauth basic` takes it: it looks at all but the signature."""
    claims = {
        "iat": int(time.time()),
        "iss": "https://sts.windows.net/tenant/",
        "aud": "https://storage.azure.com",
        "nbf": int(time.time()) - 60,
        "exp": int(time.time()) + 3600,
    }
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims))
    return ".".join((*encoded, "AA"))


@contextmanager
def identity_service(ca: trustme.CA | None = None) -> Iterator[tuple[str, list[str]]]:
    """Hand out tokens as Azure does, to machines (GET) and to applications (POST); give its URL and what it saw."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            body = {"access_token": token(), "expires_in": "3600", "expires_on": str(int(time.time()) + 3600)}
            body |= {"token_type": "Bearer", "resource": "https://storage.azure.com"}
            self.answer(body)

        def do_POST(self) -> None:
            seen.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer({"access_token": token(), "expires_in": 3600, "token_type": "Bearer"})

        def answer(self, body: dict[str, object]) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if ca is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'https' if ca else 'http'}://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def token_azurite(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Azurite that takes tokens, which it does over TLS only."""
    folder = tmp_path_factory.mktemp("azurite")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    options = ("--oauth", "basic", "--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem"))
    with azurite_running(folder, *options) as port:
        endpoint = f"https://127.0.0.1:{port}/{ACCOUNT}"
        context = ssl.create_default_context()
        authority.configure_trust(context)
        httpx.put(f"{endpoint}/exports?restype=container&{account_sas()}", verify=context).raise_for_status()
        yield endpoint


def published(authority: trustme.CA, secret: dict[str, str]) -> int | None:
    ca = authority.cert_pem.bytes().decode()
    destination = open_destination(f"azure://{ACCOUNT}/exports/{secrets.token_hex(4)}", secret | {"ca": ca})
    destination.begin("T")
    write(destination, "T/large", bytes(LARGE))
    destination.finish("T")
    return destination.size("T/large")


def test_a_managed_identity_signs_in(
    token_azurite: str, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    with identity_service() as (url, seen):
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", token_azurite)
        monkeypatch.setenv("AZURE_MSI_ENDPOINT", f"{url}/metadata/identity/oauth2/token")

        assert published(authority, {"client_id": "the-chosen-one"}) == LARGE

    assert len(seen) == 1
    assert "client_id=the-chosen-one" in seen[0]


def test_a_workload_identity_signs_in(
    token_azurite: str, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("token-of-the-cluster")
    with identity_service(authority) as (url, seen):
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", token_azurite)
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", url)
        monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))

        assert published(authority, {"client_id": "app", "tenant_id": "tenant"}) == LARGE

    assert len(seen) == 1
    assert "client_assertion=token-of-the-cluster" in seen[0]


def test_a_client_secret_signs_in(token_azurite: str, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    with identity_service(authority) as (url, seen):
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", token_azurite)
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", url)

        secret = {"client_id": "app", "tenant_id": "tenant", "client_secret": "the secret"}
        assert published(authority, secret) == LARGE

    assert len(seen) == 1
    assert "client_secret=the+secret" in seen[0]


def test_the_key_of_the_machine_is_not_tried_where_a_secret_is_given(
    azure_places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", ACCOUNT_KEY)
    destination = open_destination(azure_places().address, {"sas": account_sas("r")})

    with pytest.raises(DestinationFailed, match="Auth"):
        destination.begin("T")


def test_a_store_that_does_not_answer_is_named() -> None:
    port = free_port()
    address = f"azure://{ACCOUNT}/exports/a?endpoint=http://127.0.0.1:{port}"
    destination = open_destination(address, {"account_key": ACCOUNT_KEY})

    with pytest.raises(DestinationFailed, match=rf"^azure://{ACCOUNT}/exports/a/T: .*error sending request"):
        destination.begin("T")
