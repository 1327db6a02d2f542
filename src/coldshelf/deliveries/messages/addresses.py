"""Which addresses of people can be used. Pure."""

import re

MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
"""An address as RFC 5321 writes it, without quotes, comments and literals: none of those can end a header."""
LONGEST_MAILBOX, LONGEST_LOCAL = 254, 64
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
"""E.164."""


def is_mailbox(text: str) -> bool:
    is_short = len(text) <= LONGEST_MAILBOX and len(text.partition("@")[0]) <= LONGEST_LOCAL
    return is_short and MAILBOX.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    return PHONE.fullmatch(text) is not None
