"""The synchronous client; the other one is the same with await."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack
from uuid import UUID

import httpx

from coldshelf.client import files, lists, records, resumable
from coldshelf.client import pictures as pictures_of
from coldshelf.client.core import Ask, Retries, ask
from coldshelf.client.listing import Changes, Listing
from coldshelf.client.lists import wanted_of
from coldshelf.client.marks import Marks
from coldshelf.client.models import (
    Exported,
    Filters,
    ImportReport,
    ListOptions,
    Page,
    Saved,
    UploadOptions,
    Uploads,
)
from coldshelf.client.pictures import Picture, Upload
from coldshelf.client.records import which
from coldshelf.client.transport import Access, SyncDriver


class Client:
    """Speaks to one installation as one user.

    Sign in with `user` and `password`, or with `token`. `timeout`: seconds without a sign of life. `ca_file`:
    certificates to trust instead of the system's. `transport`: another one of httpx, for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        password: str | None = None,
        token: str | None = None,
        timeout: float = 60.0,
        retries: Retries = Retries(),  # noqa: B008  # it never changes
        ca_file: str | Path | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        access = Access(url, user, password, token, timeout, ca_file)
        self._driver = SyncDriver(httpx.Client(transport=transport, **access.options()), sleep)
        self._ask: Ask = partial(ask, retries)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._driver.http.close()

    def page(
        self, dataset: str, filters: Filters | None = None, *, start: int = 0, **options: Unpack[ListOptions]
    ) -> Page:
        """Get one page of a list, from `start`."""
        return self._driver.run(lists.page(self._ask, wanted_of(dataset, filters, options), start=start))

    def list(self, dataset: str, filters: Filters | None = None, **options: Unpack[ListOptions]) -> Listing:
        """List records, page by page; with `modified_since` deleted ones as well, and a record can come twice."""
        wanted = wanted_of(dataset, filters, options)
        return Listing(self._driver, lambda: lists.pages(self._ask, wanted))

    def changes(
        self,
        dataset: str,
        filters: Filters | None = None,
        *,
        marks: Marks,
        name: str = "",
        **options: Unpack[ListOptions],
    ) -> Changes:
        """List what was changed since the mark, deleted ones as well, in the order in which it was committed.

        The mark is read from `marks` under `name` (the dataset's unless given; with other filters use another name).
        Call `done()` of what this gives when the records are safe: until then they come again. Raises Gone when the
        mark is not this reader's any more: forget what was read and begin with an empty mark.
        """
        wanted, marked = wanted_of(dataset, filters, options), name or dataset
        return Changes(self._driver, lambda: lists.changes(self._ask, wanted, marks.get(marked) or ""), marks, marked)

    def load(self, entity: str, id: int | None = None, **codes: str) -> Saved:  # noqa: A002  # the wire's name
        """Load a record by its id, or by a code: `load("Location", LocationCode="demo")`."""
        return self._driver.run(records.load(self._ask, entity, which(id, codes)))

    def save(self, entity: str, values: Mapping[str, object], *, key: str | None = None) -> Saved:
        """Add (`id` 0), change (`id`) or upsert (its code alone) a record; only what changes need be given.

        Repeated tries carry one Idempotency-Key. Give your own `key` when you may repeat the call yourself.
        """
        return self._driver.run(records.write(self._ask, "save", entity, values, key))

    def delete(
        self,
        entity: str,
        id: int | None = None,  # noqa: A002  # the wire's name
        *,
        key: str | None = None,
        **codes: str,
    ) -> Saved:
        """Delete a record by its id or a code; it stays, with `IsDeleted`."""
        return self._driver.run(records.write(self._ask, "delete", entity, which(id, codes), key))

    def upload(
        self, *pictures: Picture, key: str | None = None, strict: bool = True, **said: Unpack[UploadOptions]
    ) -> Uploads:
        """Upload pictures of one cooler; several become one picture unless `stitch=False`.

        `grid_order=[2, 1, 3]`: the n-th number is the place of the n-th picture. Raises UploadRefused when one was
        refused; with `strict=False` the results say so instead.
        """
        sent = Upload(pictures=pictures, **said)
        return self._driver.run(pictures_of.upload(self._ask, sent, key, strict=strict))

    def upload_resumably(
        self, *pictures: Picture, key: str | None = None, strict: bool = True, **said: Unpack[UploadOptions]
    ) -> Uploads:
        """Upload over a weak line: in pieces, each sent once, and together recorded as `upload` would.

        Called again with the same `key` within a day, in another process too, it goes on where it broke.
        """
        sent = Upload(pictures=pictures, **said)
        return self._driver.run(resumable.upload(self._ask, sent, key, strict=strict))

    def preview(
        self, guid: UUID | str, kind: str = "Stitched", *, max_width: int | None = None, wait: float = 0
    ) -> bytes:
        """Get a picture as JPEG; `wait`: seconds for one that is not ready yet."""
        return self._driver.run(pictures_of.preview(self._ask, guid, kind=kind, max_width=max_width, wait=wait))

    def export(
        self,
        dataset: str,
        path: str | Path,
        filters: Filters | None = None,
        *,
        file_format: str | None = None,
        **options: Unpack[ListOptions],
    ) -> Exported:
        """Write a dataset to a file: `.csv`, `.xlsx` or `.xml`; at most as many records as the server puts into one."""
        wanted = wanted_of(dataset, filters, options)
        return self._driver.run(files.export(self._ask, wanted, Path(path), file_format))

    def template(self, kind: str, path: str | Path) -> Path:
        """Write the file to fill in for a type of import."""
        return self._driver.run(files.template(self._ask, kind, Path(path)))

    def check_file(self, kind: str, path: str | Path, **options: str) -> ImportReport:
        """Check a file to be imported; nothing is written."""
        return self._driver.run(files.check_file(self._ask, kind, Path(path), options))

    def import_file(self, kind: str, path: str | Path, *, key: str | None = None, **options: str) -> ImportReport:
        """Import a file as a whole, and wait until it is done; raise ImportRefused with the bad cells."""
        return self._driver.run(files.import_file(self._ask, kind, Path(path), options, key))
