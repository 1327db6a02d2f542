"""What a call of the client can end with.

ShelfError
├── NoAnswer            the connection broke, or nothing came in time
├── Refused             the request cannot be used; `info` says why and what to do
│   ├── UploadRefused   with what became of each picture
│   └── ImportRefused   with the bad cells
├── NotSignedIn         401
├── NotAllowed          403
├── NotFound            404
├── Conflict            409
├── Gone                410  start again, from an empty mark
├── TooLarge            413
├── KeyReused           422  this key was used for another request
├── TooManyRequests     429
└── ServerFailed        500 and above
"""

from coldshelf.client.models import ImportReport, Uploaded


class ShelfError(Exception):
    """`code` is stable, `info` for people, `request_id` for the operator of the server."""

    code = "error"

    def __init__(
        self,
        info: str,
        *,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(info)
        self.info = info
        self.status = status
        self.code = code or type(self).code
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        said = [self.info]
        if self.status:
            said.append(f"HTTP {self.status}")
        if self.request_id:
            said.append(f"request {self.request_id}")
        return said[0] if len(said) == 1 else f"{said[0]} ({', '.join(said[1:])})"

    @property
    def may_be_repeated(self) -> bool:
        """Say whether the same request can succeed later: writes are safe, they carry a key."""
        return False


class NoAnswer(ShelfError):
    code = "no_answer"

    @property
    def may_be_repeated(self) -> bool:
        return True


class Refused(ShelfError):
    code = "refused"


class UploadRefused(Refused):
    """`results` has an entry for each picture, also for those that were taken."""

    code = "upload_refused"

    def __init__(self, info: str, results: list[Uploaded], *, request_id: str = "") -> None:
        super().__init__(info, request_id=request_id)
        self.results = results


class ImportRefused(Refused):
    """`report` has the bad cells."""

    code = "import_refused"

    def __init__(self, info: str, report: ImportReport) -> None:
        super().__init__(info)
        self.report = report


class NotSignedIn(ShelfError):
    code = "not_signed_in"


class NotAllowed(ShelfError):
    code = "not_allowed"


class NotFound(ShelfError):
    code = "not_found"


class Conflict(ShelfError):
    code = "conflict"

    @property
    def may_be_repeated(self) -> bool:
        return self.retry_after is not None


class Gone(ShelfError):
    code = "gone"


class TooLarge(ShelfError):
    code = "too_large"


class KeyReused(ShelfError):
    code = "key_reused"


class TooManyRequests(ShelfError):
    code = "too_many_requests"

    @property
    def may_be_repeated(self) -> bool:
        return True


class ServerFailed(ShelfError):
    code = "server_failed"

    @property
    def may_be_repeated(self) -> bool:
        return self.status in {502, 503, 504}


BY_STATUS: dict[int, type[ShelfError]] = {
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    422: KeyReused,
    429: TooManyRequests,
}
