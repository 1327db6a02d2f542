"""Problem documents (RFC 9457): what an error looks like outside the contract's handlers, and their schema."""

from collections.abc import Mapping
from typing import Any

from coldshelf.kit.errors import ColdshelfError, Place

MEDIA_TYPE = "application/problem+json"
TYPES = "urn:coldshelf:error:"


def problem_status(error: ColdshelfError) -> int:
    """Give the HTTP status of an error's problem document."""
    return error.problem_status or error.status


def problem_body(error: ColdshelfError, request_id: str, *, instance: str) -> dict[str, object]:
    """Word an error as a problem document; `instance` is the path that was asked."""
    return {
        "type": TYPES + error.code,
        "title": (type(error).__doc__ or "").splitlines()[0],
        "status": problem_status(error),
        "detail": error.message,
        "instance": instance,
        "code": error.code,
        "cure": error.cure,
        "errors": [_place(place) for place in error.places],
        "requestId": request_id,
    }


def _place(place: Place) -> Mapping[str, str]:
    where = {"pointer": place.pointer, "parameter": place.parameter}
    return {"detail": place.detail, **{name: value for name, value in where.items() if value}}


_TEXT = {"type": "string"}
PROBLEM_SCHEMA: dict[str, Any] = {  # a JSON schema
    "type": "object",
    "description": "What went wrong (RFC 9457), with a stable `code` and the cure.",
    "required": ["type", "title", "status", "detail", "instance", "code", "cure", "errors", "requestId"],
    "properties": {
        "type": {**_TEXT, "description": f"`{TYPES}` and the code"},
        "title": {**_TEXT, "description": "What this code means, the same for every occurrence"},
        "status": {"type": "integer", "description": "The HTTP status"},
        "detail": {**_TEXT, "description": "What went wrong this time"},
        "instance": {**_TEXT, "description": "The path that was asked"},
        "code": {**_TEXT, "description": "Stable name of the error; the reference lists them all"},
        "cure": {**_TEXT, "description": "What helps; may be empty"},
        "errors": {
            "type": "array",
            "description": "Each place that is wrong, where there are places",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": _TEXT,
                    "pointer": {**_TEXT, "description": "JSON pointer into the body"},
                    "parameter": {**_TEXT, "description": "Name of a parameter"},
                },
            },
        },
        "requestId": {**_TEXT, "description": "The same as in the header X-Request-ID"},
    },
    "examples": [
        {
            "type": f"{TYPES}field_invalid",
            "title": "A field cannot be used",
            "status": 422,
            "detail": "Stops takes a whole number",
            "instance": "/api/v1/route-plans",
            "code": "field_invalid",
            "cure": "",
            "errors": [{"detail": "takes a whole number", "pointer": "/Stops"}],
            "requestId": "5b0c2f6f2bc84f0f8c2f5f0b6a1f8a11",
        }
    ],
}
