"""Promises of decoding: whatever the bytes are, the answer is the upright picture or one of three errors.

`COLDSHELF_FUZZ=8000` mutates as many files; the seed of the day is printed on failure. The HEIC files beside this test
were drawn by us and written with pillow-heif, which is not among our packages because its encoder is GPL.
"""

import io
import json
import mmap
import os
import random
import struct
import time
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from coldshelf.kit.errors import ColdshelfError
from coldshelf.pictures.imaging.capture_time import ExifTime
from coldshelf.pictures.imaging.decode import decode, inspect
from coldshelf.pictures.imaging.encode import clamp_width, encode_jpeg, shrink, shrink_jpeg
from coldshelf.pictures.imaging.errors import PictureCorrupt, PictureFormatUnknown, PictureTooLarge
from coldshelf.pictures.imaging.formats import PictureFormat, sniff
from coldshelf.pictures.imaging.structure import verify_cheaply

HEIC = Path(__file__).parent / "heic"
RED, BLUE = (200, 30, 30), (30, 30, 200)
FORMATS = {"JPEG": PictureFormat.JPEG, "PNG": PictureFormat.PNG, "WEBP": PictureFormat.WEBP}


def red_left_of_blue(width=64, height=32):
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (width // 2, 0, width, height))
    return picture


def written(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def camera_exif(*, orientation=1, taken="2026:03:04 05:06:07", offset="+07:00"):
    exif = Image.Exif()
    exif[0x0112] = orientation
    camera = exif.get_ifd(0x8769)
    camera[0x9003], camera[0x9011] = taken, offset
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", (48.0, 8.0, 0.0)
    return exif


def chunk(kind, content=b""):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def box(kind, content=b""):
    return struct.pack(">I4s", 8 + len(content), kind) + content


def png(width, height, *, rows):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND")


def photograph(width=160, height=120):
    """A picture with structure, so that its files have bytes to damage."""
    noise = np.random.default_rng(7).integers(0, 60, (height, width, 3), np.uint8)
    return Image.fromarray(np.asarray(red_left_of_blue(width, height)) // 2 + noise)


@pytest.mark.parametrize(("kind", "expected"), FORMATS.items())
def test_format_is_known_by_content(kind, expected):
    assert sniff(written(red_left_of_blue(), kind)[:64]) is expected


def test_heic_is_known_by_its_brands():
    assert sniff((HEIC / "plain.heic").read_bytes()[:64]) is PictureFormat.HEIC
    assert sniff(b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic") is PictureFormat.HEIC


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"GIF89a",
        b"BM" + bytes(60),
        b"II*\x00",
        b"%PDF-1.7",
        b"<svg/>",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avif",
        b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00avif",
        b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00mp42",
    ],
)
def test_everything_else_is_unknown(head):
    assert sniff(head) is None
    with pytest.raises(PictureFormatUnknown):
        inspect(head)
    with pytest.raises(PictureFormatUnknown):
        decode(head)


def test_errors_speak_the_words_of_the_contract():
    assert PictureCorrupt().message == "Image is corrupted"
    assert (PictureCorrupt.status, PictureFormatUnknown.status, PictureTooLarge.status) == (400, 400, 413)
    assert not any(error.retry for error in (PictureCorrupt, PictureFormatUnknown, PictureTooLarge))


@pytest.mark.parametrize("kind", FORMATS)
def test_header_tells_size_and_capture_time_without_decoding(kind, tmp_path):
    content = written(red_left_of_blue(), kind, exif=camera_exif(orientation=6))
    (tmp_path / "no-extension").write_bytes(content)

    for source in (content, tmp_path / "no-extension", io.BytesIO(content)):
        info = inspect(source)

        assert (info.format, info.width, info.height) == (FORMATS[kind], 32, 64)
        assert (info.orientation, info.frames) == (6, 1)
        assert info.captured == ExifTime("2026:03:04 05:06:07", "+07:00")


def test_header_is_readable_where_the_pixels_are_cut_off():
    content = written(photograph(), "JPEG", exif=camera_exif())

    assert inspect(content[:1000]).width == 160


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_is_turned_upright(orientation):
    content = written(photograph(), "PNG", exif=camera_exif(orientation=orientation))
    with Image.open(io.BytesIO(content)) as stored:
        upright = np.asarray(ImageOps.exif_transpose(stored))

    image = decode(content)

    assert np.array_equal(image, upright)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert (inspect(content).width, inspect(content).height) == (image.shape[1], image.shape[0])


def test_impossible_orientation_is_ignored():
    assert decode(written(red_left_of_blue(), "PNG", exif=camera_exif(orientation=9))).shape == (32, 64, 3)


@pytest.mark.parametrize(
    ("mode", "left"),
    [("RGB", RED), ("RGBA", RED), ("P", RED), ("L", (81, 81, 81)), ("LA", (81, 81, 81)), ("1", (0, 0, 0))],
)
def test_every_mode_of_png_becomes_rgb(mode, left):
    picture = red_left_of_blue()
    picture = picture.quantize(4) if mode == "P" else picture.convert(mode, dither=Image.Dither.NONE)

    image = decode(written(picture, "PNG"))

    assert image.shape == (32, 64, 3)
    assert tuple(image[5, 5]) == left


def test_sixteen_bits_keep_their_brightness():
    deep = np.full((4, 4), 0x8040, np.uint16)

    assert decode(written(Image.fromarray(deep), "PNG")).tolist() == [[[0x80] * 3] * 4] * 4


def test_cmyk_becomes_rgb():
    image = decode(written(red_left_of_blue().convert("CMYK"), "JPEG", quality=95))

    assert np.abs(image[5, 5].astype(int) - RED).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_is_laid_on_white(kind):
    picture = red_left_of_blue().convert("RGBA")
    picture.putalpha(0)

    assert decode(written(picture, kind, lossless=True)).min() == 255


def test_transparent_palette_entry_is_laid_on_white():
    picture = red_left_of_blue().quantize(4)
    transparent = picture.getpixel((0, 0))

    image = decode(written(picture, "PNG", transparency=transparent))

    assert tuple(image[0, 0]) == (255, 255, 255)
    assert tuple(image[0, 63]) == BLUE


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_first_frame_of_an_animation_is_taken(kind):
    first, second = red_left_of_blue(), Image.new("RGB", (64, 32), BLUE)
    content = written(first, kind, save_all=True, append_images=[second], lossless=True)

    assert inspect(content).frames == 2
    assert tuple(decode(content)[5, 5]) == RED


def test_heic_is_decoded_and_turned_by_its_own_rotation_only():
    plain, turned = (HEIC / "plain.heic").read_bytes(), (HEIC / "turned.heic").read_bytes()

    assert decode(plain).shape == (32, 64, 3)
    assert np.abs(decode(plain)[5, 5].astype(int) - RED).max() <= 3
    assert (inspect(turned).width, inspect(turned).height, inspect(turned).orientation) == (32, 64, 1)
    assert decode(turned).shape == (64, 32, 3)
    assert np.abs(decode(turned)[3, 3].astype(int) - RED).max() <= 3
    assert inspect(turned).captured == ExifTime("2026:03:04 05:06:07", "+07:00")


def test_heic_without_colour_with_alpha_and_with_two_pictures():
    assert tuple(decode((HEIC / "grey.heic").read_bytes())[5, 5]) == (81, 81, 81)
    assert decode((HEIC / "clear.heic").read_bytes()).min() == 255
    assert inspect(HEIC / "two.heic").frames == 1
    assert np.abs(decode((HEIC / "two.heic").read_bytes())[5, 5].astype(int) - RED).max() <= 3


def test_heic_item_type_that_takes_the_decoder_down_is_refused_before_it():
    """pi_heif 1.4 ends in a segmentation fault on these bytes, and the process with it."""
    content = (HEIC / "turned.heic").read_bytes().replace(b"Exif\0", b"Exi\xe6\0", 1)

    for look in (verify_cheaply, inspect, decode):
        with pytest.raises(PictureCorrupt):
            look(content)


def test_heic_header_full_of_associations_is_refused_within_two_seconds():
    association = b"\0\1\xff" + b"\1" * 255
    ipma = box(b"ipma", bytes(4) + struct.pack(">I", 200) + association * 200)
    meta = box(b"meta", bytes(4) + box(b"iprp", ipma * 38))
    content = box(b"ftyp", b"heic\0\0\0\0heic") + meta + box(b"mdat", bytes(9))
    started = time.process_time()

    with pytest.raises(PictureCorrupt):
        inspect(content)

    assert time.process_time() - started < 2


def test_picture_at_the_limit_passes_and_one_row_more_does_not():
    content = written(Image.new("L", (100, 51)), "PNG")

    assert inspect(content, max_pixels=5100).height == 51
    for look in (inspect, decode):
        with pytest.raises(PictureTooLarge, match="100 x 51"):
            look(content, max_pixels=5099)
        with pytest.raises(PictureTooLarge, match="the limit is 99 a side"):
            look(content, max_side=99)


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 1), (8000, 6251), (16_385, 1)])
def test_claimed_size_is_refused_before_any_memory_is_taken(size):
    content = png(*size, rows=zlib.compress(bytes(100)))
    tracemalloc.start()

    for look in (inspect, decode):
        with pytest.raises(PictureTooLarge):
            look(content)

    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_webp_and_heic_that_claim_too_much_are_refused():
    frame = written(Image.new("RGB", (8, 8)), "WEBP")[12:]
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16_382).to_bytes(3, "little") * 2
    webp = b"RIFF" + struct.pack("<I", 4 + len(canvas) + len(frame)) + b"WEBP" + canvas + frame

    for content in (webp, (HEIC / "claims_52_megapixels.heic").read_bytes()):
        with pytest.raises(PictureTooLarge):
            inspect(content)
        with pytest.raises(PictureTooLarge):
            decode(content)


def test_highly_compressed_picture_within_the_limit_is_decoded_in_bounded_time():
    rows = zlib.compress(bytes(7001) * 7000, 9)
    content = png(7000, 7000, rows=rows)
    started = time.process_time()

    image = decode(content)

    assert len(content) < 60_000
    assert image.shape == (7000, 7000, 3)
    assert image.max() == 0
    assert time.process_time() - started < 10


def test_pixels_that_are_missing_in_a_whole_file_are_found_by_decoding():
    content = png(7000, 7000, rows=zlib.compress(bytes(1000)))

    assert verify_cheaply(content) is PictureFormat.PNG
    with pytest.raises(PictureCorrupt):
        decode(content)


def test_progressive_jpeg_with_endless_scans_is_refused_before_decoding():
    content = written(photograph(), "JPEG", progressive=True)
    last_scan = content[content.rindex(b"\xff\xda") : -2]
    bomb = content[:-2] + last_scan * 100 + content[-2:]

    assert verify_cheaply(content) is PictureFormat.JPEG
    with pytest.raises(PictureCorrupt):
        verify_cheaply(bomb)


@pytest.mark.parametrize("kind", [*FORMATS, "HEIC"])
def test_file_cut_off_anywhere_is_found_without_decoding(kind):
    content = (HEIC / "plain.heic").read_bytes() if kind == "HEIC" else written(photograph(), kind, exif=camera_exif())
    lengths = range(64, len(content), max(1, len(content) // 200))

    assert verify_cheaply(content) is PictureFormat(kind.lower())
    for length in [*lengths, len(content) - 1]:
        with pytest.raises(PictureCorrupt):
            verify_cheaply(content[:length])


@pytest.mark.parametrize("kind", [*FORMATS, "HEIC"])
def test_trailer_that_a_phone_appends_is_tolerated(kind):
    content = (HEIC / "plain.heic").read_bytes() if kind == "HEIC" else written(photograph(), kind)

    for trailer in (b"\0", bytes(100), b"SEFT" * 25, b"\x00\x00\x10\x00mpvd" + bytes(50)):
        assert verify_cheaply(content + trailer) is PictureFormat(kind.lower())
        assert decode(content + trailer).shape == decode(content).shape


@pytest.mark.parametrize("kind", [*FORMATS, "HEIC", "progressive"])
def test_mapped_file_is_checked_like_one_in_memory(kind, tmp_path):
    path = tmp_path / "upload"
    if kind == "HEIC":
        content = (HEIC / "plain.heic").read_bytes()
    elif kind == "progressive":
        content = written(photograph(), "JPEG", progressive=True)
    else:
        content = written(photograph(), kind)

    for whole in (True, False):
        path.write_bytes(content if whole else content[:-20])
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            if whole:
                assert verify_cheaply(mapped) is sniff(content[:64])
            else:
                with pytest.raises(PictureCorrupt):
                    verify_cheaply(mapped)


def test_damaged_chunk_of_a_png_is_found_by_its_checksum():
    content = bytearray(written(photograph(), "PNG"))
    content[len(content) // 2] ^= 1

    with pytest.raises(PictureCorrupt):
        verify_cheaply(bytes(content))


def test_structure_of_a_phone_picture_is_checked_in_a_millisecond():
    content = written(photograph(2048, 1536), "JPEG", quality=75)
    verify_cheaply(content)
    started = time.process_time()

    for _ in range(100):
        verify_cheaply(content)

    assert len(content) > 400_000
    assert (time.process_time() - started) / 100 < 0.001


def test_broken_exif_is_no_reason_to_refuse_and_no_warning(recwarn):
    exif = camera_exif().tobytes()
    content = written(red_left_of_blue(), "JPEG", exif=exif[:40] + b"\xff" * (len(exif) - 40))

    assert inspect(content).captured is None
    assert decode(content).shape == (32, 64, 3)
    assert not recwarn.list


def test_file_that_is_missing_is_not_called_corrupt(tmp_path):
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "nothing.jpg")


EXPECTED = {
    "pillow_apng_syntax_num_frames_invalid.png": (64, 128, 3),
    "pillow_avif_icc_profile.avif": PictureFormatUnknown,
    "pillow_bmp_b_badbitcount.bmp": PictureFormatUnknown,
    "pillow_broken.png": PictureCorrupt,
    "pillow_broken_exif_dpi.jpg": (100, 100, 3),
    "pillow_crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif": PictureFormatUnknown,
    "pillow_decompression_bomb.gif": PictureFormatUnknown,
    "pillow_exif_gps.jpg": (8, 8, 3),
    "pillow_exif_typeerror.jpg": (531, 800, 3),
    "pillow_hopper.png": (128, 128, 3),
    "pillow_hopper_orientation_2.webp": (128, 128, 3),
    "pillow_hopper_orientation_5.jpg": (128, 128, 3),
    "pillow_pil_sample_rgb.jpg": (100, 100, 3),
    "pillow_truncated_image.png": PictureCorrupt,
    "pngsuite_xc1n0g08.png": PictureCorrupt,
    "pngsuite_xcsn0g01.png": PictureCorrupt,
    "pngsuite_xd9n2c08.png": PictureCorrupt,
    "pngsuite_xlfn0g04.png": PictureFormatUnknown,
    "pngsuite_xs4n0g01.png": PictureFormatUnknown,
}


def test_every_bad_sample_is_expected(samples):
    listed = json.loads((samples / "bad_images" / "list.json").read_text())["files"]

    assert {entry["file"] for entry in listed} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_bad_sample_is_decoded_or_refused_with_the_right_error(samples, name):
    content = (samples / "bad_images" / name).read_bytes()
    expected = EXPECTED[name]

    if isinstance(expected, tuple):
        assert verify_cheaply(content)
        assert decode(content).shape == expected
        return
    with pytest.raises(expected):
        decode(content)
    with pytest.raises(expected):  # what an upload does: both looks, neither of them decodes
        _ = verify_cheaply(content), inspect(content)


@pytest.mark.parametrize("other", ["pillow_hopper_orientation_5.jpg", "pillow_hopper_orientation_2.webp"])
def test_turned_samples_show_the_same_portrait(samples, other):
    upright = decode((samples / "bad_images" / "pillow_hopper.png").read_bytes()).astype(int)
    turned = decode((samples / "bad_images" / other).read_bytes()).astype(int)

    assert np.abs(upright - turned).mean() < 8


def test_jpeg_we_write_carries_no_metadata(samples):
    content = (samples / "bad_images" / "pillow_exif_gps.jpg").read_bytes()

    written_again = encode_jpeg(decode(content))

    assert b"Exif" in content
    with Image.open(io.BytesIO(written_again)) as picture:
        assert not picture.getexif()
        assert set(picture.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for word in (b"Exif", b"http://ns.adobe.com", b"ICC_PROFILE", b"MPF"):
        assert word not in written_again


def test_jpeg_we_write_shows_the_picture_in_the_right_colours():
    image = np.asarray(red_left_of_blue())

    again = decode(encode_jpeg(image, quality=95))

    assert np.abs(again[5, 5].astype(int) - RED).max() <= 3
    assert len(encode_jpeg(image, quality=30)) < len(encode_jpeg(image, quality=95))


@pytest.mark.parametrize(("wished", "used"), [(-5, 16), (0, 16), (16, 16), (800, 800), (4096, 4096), (99_999, 4096)])
def test_width_is_brought_into_the_limits(wished, used):
    assert clamp_width(wished) == used


@pytest.mark.parametrize(("wished", "shape"), [(100, (50, 100, 3)), (1, (8, 16, 3)), (640, (320, 640, 3))])
def test_picture_is_shrunk_to_the_width(wished, shape):
    image = np.zeros((320, 640, 3), np.uint8)

    assert shrink(image, wished).shape == shape
    with Image.open(io.BytesIO(shrink_jpeg(encode_jpeg(image), wished))) as picture:
        assert picture.size == (shape[1], shape[0])


def test_picture_is_never_enlarged():
    image = np.zeros((20, 40, 3), np.uint8)
    jpeg = encode_jpeg(image)

    assert shrink(image, 4096) is image
    assert shrink_jpeg(jpeg, 4096) is jpeg


def fuzz_seeds():
    picture = photograph(64, 48)
    exif = camera_exif(orientation=6)
    yield from (written(picture, kind, exif=exif) for kind in FORMATS)
    yield written(picture, "JPEG", progressive=True)
    yield written(picture.convert("CMYK"), "JPEG")
    yield written(picture.quantize(16), "PNG", transparency=3)
    yield written(picture.convert("LA"), "PNG")
    yield written(picture, "WEBP", lossless=True)
    yield written(picture, "WEBP", save_all=True, append_images=[picture.rotate(180)])
    yield written(picture, "PNG", save_all=True, append_images=[picture.rotate(180)])
    yield from (path.read_bytes() for path in sorted(HEIC.glob("[!c]*.heic")))


def mutated(content, chance):
    """Damage a file: bytes replaced by rubbish or by extreme numbers, parts removed, doubled or cut off."""
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(min(len(damaged), chance.choice((600, len(damaged)))))
        other = chance.randrange(len(damaged))
        match chance.randrange(5):
            case 0:
                damaged[at] = chance.randrange(256)
            case 1:
                damaged[at : at + 4] = chance.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\x80\0\0\0"))
            case 2:
                del damaged[at : at + chance.randrange(1, 40)]
            case 3:
                damaged[at:at] = damaged[other : other + chance.randrange(1, 200)]
            case 4 if chance.random() < 0.2:
                del damaged[at:]
        damaged = damaged or bytearray(1)
    return with_right_checksums(bytes(damaged)) if chance.random() < 0.8 else bytes(damaged)


def with_right_checksums(content):
    """Let a damaged PNG past the checksums, so that the decoder sees the damage."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    repaired, at = content[:8], 8
    while at + 8 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4])
        if end > len(content):
            break
        repaired += chunk(content[at + 4 : at + 8], content[at + 8 : end])
        at = end + 4
    return repaired


def test_no_damage_escapes_as_another_error():
    count = int(os.environ.get("COLDSHELF_FUZZ", "2000"))
    seed = int(os.environ.get("COLDSHELF_FUZZ_SEED", "20261121"))
    chance, seeds = random.Random(seed), list(fuzz_seeds())
    refused = 0

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(count):
            content = mutated(chance.choice(seeds), chance)
            for look in (inspect, decode):
                try:
                    look(content)
                except (PictureCorrupt, PictureFormatUnknown, PictureTooLarge):
                    refused += 1
                except BaseException as escaped:
                    raise AssertionError(f"seed {seed}, file {number}: {escaped!r} from {look.__name__}") from escaped

    assert issubclass(PictureCorrupt, ColdshelfError)
    assert count // 2 < refused <= 2 * count
