"""What destinations in object stores share. A part is sent in blocks while it is written, and appears whole, at once.

A folder is taken by an empty object `.begun` that is made only where there is none; `finish` removes it. A part of one
block is sent in one request that fails where its name is taken. A larger one is looked for before its last request:
nobody else writes to a folder that was begun, but two that write the same large name to a shared folder within the
same moment are not told apart.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, ClassVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.publishing.address import Address, relative, without_secret
from coldshelf.publishing.destination import SUCCESS, Capabilities, Entry, PartWriter, Secret, TablePlace
from coldshelf.publishing.errors import AlreadyPublished, DestinationFailed
from coldshelf.publishing.object_part import ObjectPart, Store
from coldshelf.publishing.streams import read_by_ranges

if TYPE_CHECKING:  # the library has its shapes of settings for type checkers alone
    from obstore.store import ClientConfig, RetryConfig

BEGUN = ".begun"
"""The object that takes a folder."""
COPY_SECONDS = 600

NOT_FOR_TABLES = frozenset({"credential_type", "copy_if_not_exists", "root_certificate"})
"""Settings that the library of open tables does not know."""

RETRIES: "RetryConfig" = {"max_retries": 5, "retry_timeout": timedelta(seconds=60)}


def client_options(endpoint: str, secret: Secret) -> "ClientConfig":
    """Give the time limits of all requests, and the certificate authority of an endpoint of one's own."""
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=15),
        "read_timeout": timedelta(seconds=60),
        "timeout": timedelta(minutes=5),
        "allow_http": endpoint.startswith("http://"),
    }
    if "ca" in secret:
        options["root_certificate"] = secret["ca"]
    return options


def check_endpoint(address: Address, secret: Secret) -> str:
    """Give the endpoint of an address; raise SettingsInvalid where the machine's own sign-in would be sent there."""
    endpoint = address.options.get("endpoint", "").rstrip("/")
    if endpoint and not secret.keys() - {"ca"}:
        raise SettingsInvalid(
            f"Destination {address.shown}: an endpoint of its own gets no sign-in of this machine",
            cure="Add a secret of that endpoint, or leave `endpoint` out",
        )
    return endpoint


@contextmanager
def settings_checked(address: Address, secret: Secret) -> Iterator[None]:
    """Translate what the library finds wrong in an address or a secret before it connects."""
    try:
        yield
    except (BaseError, ValueError) as error:
        text = without_secret(str(error).partition("\n")[0], secret)
        raise SettingsInvalid(
            f"Destination {address.shown}: {text}", cure="Correct its address or its secret"
        ) from None


class ObjectDestination:
    """The base of each kind. `shown` names the place in messages."""

    capabilities: ClassVar[Capabilities]

    def __init__(self, store: Store, shown: str, secret: Secret) -> None:
        self.store = store
        self._shown = shown.rstrip("/")
        self._secret = secret

    def begin(self, folder: str) -> None:
        with self.named(folder):
            obstore.put(self.store, self.key(f"{folder}/{BEGUN}"), b"", mode="create", use_multipart=False)
        others = (entry for entry in self.entries(folder) if entry.path != f"{folder}/{BEGUN}")
        if next(others, None) is not None:
            self._delete([f"{folder}/{BEGUN}"])
            raise AlreadyPublished(f"{self._shown}/{folder} exists already, and nothing published is ever overwritten")

    def part(self, path: str) -> PartWriter:
        return ObjectPart(
            self.store,
            self.key(path),
            named=lambda: self.named(path),
            refuse_to_overwrite=lambda: self.refuse_to_overwrite(path),
        )

    def replacement(self, path: str) -> PartWriter:
        return ObjectPart(self.store, self.key(path), named=lambda: self.named(path), refuse_to_overwrite=None)

    def copy(self, source: str, path: str) -> None:
        self.refuse_to_overwrite(path)
        with self.named(path):
            obstore.copy(self.store, self.key(source), self.key(path), overwrite=False)
        self._wait_for_copy(source, path)

    def can_copy(self) -> bool:
        return True

    def open(self, path: str) -> BinaryIO:
        size = self.size(path)
        if size is None:
            raise DestinationFailed(f"{self._shown}/{path}: there is no such file")

        def read_at(offset: int, length: int) -> bytes:
            with self.named(path):
                return bytes(obstore.get_range(self.store, self.key(path), start=offset, length=length))

        return read_by_ranges(size, read_at)

    def size(self, path: str) -> int | None:
        with self.named(path), suppress(FileNotFoundError):
            return obstore.head(self.store, self.key(path))["size"]
        return None

    def entries(self, folder: str) -> Iterator[Entry]:
        with self.named(folder):
            for found in obstore.list(self.store, self.key(folder)):
                for entry in found:
                    yield Entry(entry["path"], entry["size"], entry["last_modified"])

    def finish(self, folder: str) -> None:
        self.part(f"{folder}/{SUCCESS}").commit()
        self._delete([f"{folder}/{BEGUN}"])

    def remove(self, path: str) -> None:
        paths = [entry.path for entry in self.entries(path)] or [path]
        last = f"{path}/{BEGUN}"
        for marker in (True, False):
            self._delete([path for path in paths if path.endswith(f"/{SUCCESS}") == marker and path != last])
        self._delete([path for path in paths if path == last])

    def table(self, path: str) -> TablePlace:
        """Hand on what signs in here; the way of it is found by what there is."""
        config = {**self.store.config, **(self.store.client_options or {})}
        kept = {str(name): str(value) for name, value in config.items() if name not in NOT_FOR_TABLES}
        prefix = f"{self.store.prefix}/" if self.store.prefix else ""
        scheme, place = ("az", config["container_name"]) if "container_name" in config else ("s3", config["bucket"])
        # Commits are objects that are made only where there is none.
        return TablePlace(f"{scheme}://{place}/{prefix}{self.key(path)}", {**kept, "aws_conditional_put": "etag"})

    def close(self) -> None:
        """Hold nothing: connections are the library's."""

    def key(self, path: str) -> str:
        return str(relative(path))

    def refuse_to_overwrite(self, path: str) -> None:
        if self.size(path) is not None:
            raise AlreadyPublished(f"{self._shown}/{path} exists already, and nothing published is ever overwritten")

    @contextmanager
    def named(self, path: str) -> Iterator[None]:
        """Translate what the library raises. Its own text is cut: it repeats requests, which may hold signatures."""
        place = f"{self._shown}/{path}"
        try:
            yield
        except AlreadyExistsError:
            raise AlreadyPublished(f"{place} exists already, and nothing published is ever overwritten") from None
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise DestinationFailed(
                f"{place}: {self._reason(error)}",
                cure="Check its secret, that it has not expired, and that it may read, write, list and delete there.",
            ) from None
        except FileNotFoundError as error:
            raise DestinationFailed(
                f"{place}: {self._reason(error)}", cure="Make the container or bucket first, or correct the address."
            ) from None
        except BaseError as error:
            raise DestinationFailed(f"{place}: {self._reason(error)}") from None

    def _reason(self, error: Exception) -> str:
        text = str(error).partition("\n\nDebug source")[0]
        said = re.search(r"<Code>(.*?)</Code>\s*<Message>(.*?)[\r\n<]", text)
        reason = f"{said[1]}: {said[2]}" if said else " ".join(re.sub(r"\?\S+", "", text).split())
        return without_secret(reason[:300], self._secret)

    def _delete(self, paths: list[str]) -> None:
        if paths:
            with self.named(paths[0]), suppress(FileNotFoundError):
                obstore.delete(self.store, paths)

    def _wait_for_copy(self, source: str, path: str) -> None:
        """Wait: Azure may answer before a large copy is whole, and shows it with fewer bytes until then."""
        deadline = time.monotonic() + COPY_SECONDS
        while self.size(path) != self.size(source):
            if time.monotonic() > deadline:
                self._delete([path])
                raise DestinationFailed(f"{self._shown}/{path}: not copied within {COPY_SECONDS} s")
            time.sleep(0.5)
