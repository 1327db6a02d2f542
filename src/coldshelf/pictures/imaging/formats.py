"""Which format a file has, by its first bytes."""

from enum import StrEnum

SNIFF_BYTES = 64
"""As many first bytes as `sniff` may need: the brands of a HEIC file."""

# The HEVC brands of ISO/IEC 23008-12. `mif1` and `msf1` say only "HEIF": the file may as well hold AV1.
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_OPEN_BRANDS = {b"mif1", b"msf1"}


class PictureFormat(StrEnum):
    """Formats that are taken in."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"


def sniff(head: bytes) -> PictureFormat | None:
    """Name the format by content; None for everything that is not taken in.

    File names and content types are not asked: phones and scripts get both wrong.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return PictureFormat.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PictureFormat.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return PictureFormat.WEBP
    if head[4:8] == b"ftyp" and _holds_hevc(head):
        return PictureFormat.HEIC
    return None


def _holds_hevc(head: bytes) -> bool:
    end = int.from_bytes(head[:4])
    major = head[8:12]
    compatible = {head[at : at + 4] for at in range(16, min(end, SNIFF_BYTES, len(head)), 4)}
    return major in _HEVC_BRANDS or (major in _OPEN_BRANDS and not compatible.isdisjoint(_HEVC_BRANDS))
