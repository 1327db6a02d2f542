"""One tree for every error a caller or a worker can meet.

ColdshelfError
├── SettingsInvalid            a setting is wrong: the start stops
├── InputInvalid               400  what was sent cannot be used
│   └── … leaves in their rooms
├── NotSignedIn                401
├── NotAllowed                 403
├── NotFound                   404
├── Conflict                   409  another write stands in the way
├── Gone                       410  start again
├── PreconditionFailed         412  the record changed meanwhile
├── TooLarge                   413
├── MediaTypeUnknown           415
├── IdempotencyKeyReused       422
├── TooManyRequests            429
└── Unavailable                503  try again later

Each class has `code` (stable, for callers), `status` (HTTP), `retry` (whether a worker or a client may try again
unchanged) and `cure`. The first line of its docstring is the default message. `problem_status` is the status of the
problem document where it differs: the contract's handlers know one status for every business error.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is wrong at one place of a request: at a JSON pointer of its body, or in a parameter."""

    detail: str
    pointer: str = ""
    parameter: str = ""


class ColdshelfError(Exception):
    """Something went wrong"""

    code = "error"
    status = 500
    problem_status: int | None = None
    retry = False
    cure = ""
    places: tuple[Place, ...] = ()

    def __init__(
        self, message: str | None = None, *, cure: str | None = None, places: tuple[Place, ...] | None = None
    ) -> None:
        super().__init__(message or (type(self).__doc__ or "").splitlines()[0])
        if cure is not None:
            self.cure = cure
        if places is not None:
            self.places = places

    @property
    def message(self) -> str:
        return str(self.args[0])


class SettingsInvalid(ColdshelfError):
    """A setting is wrong"""

    code = "settings_invalid"


class InputInvalid(ColdshelfError):
    """What was sent cannot be used"""

    code = "input_invalid"
    status = 400


class NotSignedIn(ColdshelfError):
    """Sign-in is needed"""

    code = "not_signed_in"
    status = 401
    cure = "Send HTTP Basic credentials, a bearer token or the cookie of the Login handler."


class NotAllowed(ColdshelfError):
    """The signed-in user may not do this"""

    code = "not_allowed"
    status = 403
    cure = "Ask a client admin for a role that allows it."


class NotFound(ColdshelfError):
    """There is no such record"""

    code = "not_found"
    status = 404


class Conflict(ColdshelfError):
    """Another write stands in the way"""

    code = "conflict"
    status = 409


class RequestInFlight(Conflict):
    """The same request is still being worked on"""

    code = "request_in_flight"
    retry = True
    retry_after = timedelta(seconds=2)
    cure = "Send it again after the seconds in Retry-After."


class Gone(ColdshelfError):
    """This can no longer be continued"""

    code = "gone"
    status = 410


class PreconditionFailed(ColdshelfError):
    """The record is not the one that the precondition names"""

    code = "precondition_failed"
    status = 412
    cure = "Read the record again, decide anew, and send the ETag of that answer in If-Match."


class MediaTypeUnknown(ColdshelfError):
    """A body of this type cannot be read here"""

    code = "media_type_unknown"
    status = 415


class TooLarge(ColdshelfError):
    """What was sent is too large"""

    code = "too_large"
    status = 413


class IdempotencyKeyReused(ColdshelfError):
    """This Idempotency-Key was used for another request"""

    code = "idempotency_key_reused"
    status = 422
    cure = "Use a new key for a new request; keys are kept 24 hours."


class TooManyRequests(ColdshelfError):
    """Too many requests"""

    code = "too_many_requests"
    status = 429
    retry = True
    retry_after = timedelta(seconds=10)


class Unavailable(ColdshelfError):
    """The service is not available now"""

    code = "unavailable"
    status = 503
    retry = True
    retry_after = timedelta(seconds=5)
