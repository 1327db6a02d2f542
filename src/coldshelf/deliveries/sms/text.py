"""Text as telephones take it: GSM 03.38 or UCS-2, in segments, cut so that no character is torn. Pure."""
# ruff: noqa: RUF001  # letters that look like others are what some of it is about

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""GSM 03.38, 6.2.1: one septet each."""
EXTENDED = frozenset("\f^{}\\[~]|€")
"""GSM 03.38, 6.2.1.1: an escape and a second septet."""
TYPOGRAPHIC = str.maketrans(
    dict.fromkeys("‘’‚‛′‹›`´", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("\t\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u3000", " ")
    | dict.fromkeys("\u00ad\u200b\u2060\ufeff", "")
    | {"…": "...", "•": "*", "·": "*", "×": "x", "™": "(TM)", "©": "(C)", "®": "(R)", "→": "->", "\u2028": "\n"}
)
JOINERS = frozenset("\u200d\ufe0e\ufe0f")
"""What makes one sign of two characters."""


class Encoding(StrEnum):
    GSM = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Room:
    """Units that one segment holds: septets or 16-bit words; fewer when there are more, which carry a header."""

    alone: int
    together: int


ROOM = {Encoding.GSM: Room(160, 153), Encoding.UCS2: Room(70, 67)}
ELLIPSIS = {Encoding.GSM: "...", Encoding.UCS2: "…"}


def encoding_of(text: str) -> Encoding:
    """Say how a text goes over the air: one character beyond GSM 03.38 makes all of it UCS-2."""
    return Encoding.GSM if all(one in BASIC or one in EXTENDED for one in text) else Encoding.UCS2


def segments_of(text: str) -> list[str]:
    """Give the text of each segment; an extension character or a surrogate pair lies in one of them whole."""
    encoding = encoding_of(text)
    room, sizes = ROOM[encoding], [_units(one, encoding) for one in text]
    if sum(sizes) <= room.alone:
        return [text]
    found, start, used = [], 0, 0
    for place, size in enumerate(sizes):
        if used + size > room.together:
            found.append(text[start:place])
            start, used = place, 0
        used += size
    return [*found, text[start:]]


def plain(text: str) -> str:
    """Replace typographic characters by those of GSM 03.38; letters stay as they are."""
    return unicodedata.normalize("NFC", text).translate(TYPOGRAPHIC)


def cut(text: str, most: int, tail: str = "") -> str:
    """Give a text and its tail in at most so many segments: the longest beginning, an ellipsis, and the tail whole.

    A tail that is too long by itself is cut too.
    """
    if len(segments_of(text + tail)) <= most:
        return text + tail
    if tail and len(segments_of(ELLIPSIS[Encoding.UCS2] + tail)) > most:
        return cut(tail, most)

    def shortened(length: int) -> str:
        kept = text[: _whole(text, length)].rstrip()
        return kept + ELLIPSIS[encoding_of(kept + tail)] + tail

    # The more is kept, the more segments it takes, so the longest that fits is found by halving.
    return shortened(bisect_right(range(len(text)), most, key=lambda length: len(segments_of(shortened(length)))) - 1)


def _units(one: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM:
        return 2 if one in EXTENDED else 1
    return 2 if ord(one) > 0xFFFF else 1


def _whole(text: str, length: int) -> int:
    """Give the greatest length up to this one that tears no sign in two."""
    while 0 < length < len(text) and (
        unicodedata.combining(text[length]) or text[length] in JOINERS or text[length - 1] == "\u200d"
    ):
        length -= 1
    return length
