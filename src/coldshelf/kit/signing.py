"""Signatures of outgoing calls by Standard Webhooks 1.0 (https://www.standardwebhooks.com), symmetric (`v1`)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Make a secret as receivers are given it: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(held: Sequence[str], message_id: str, sent_on: datetime, body: bytes) -> dict[str, str]:
    """Give the three headers of a message; while secrets change, it has one signature by each that is held.

    What is signed is `id.timestamp.body`, with the timestamp in seconds since 1970.
    """
    seconds = str(int(sent_on.timestamp()))
    content = b".".join((message_id.encode(), seconds.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_signature(secret, content) for secret in held),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
