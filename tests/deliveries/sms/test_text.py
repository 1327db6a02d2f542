"""Text as telephones take it."""
# ruff: noqa: RUF001  # letters that look like others are what some of it is about

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldshelf.deliveries.sms.text import BASIC, EXTENDED, Encoding, cut, encoding_of, plain, segments_of

GSM = st.text(st.sampled_from(sorted(BASIC | EXTENDED)), max_size=700)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
MIXED = st.lists(st.one_of(GSM, ANY, st.sampled_from(["😀", "👩‍🔧", "e\u0301", "€", " "])), max_size=6).map("".join)


def test_the_tables_are_those_of_gsm_03_38() -> None:
    assert len(BASIC) == 127  # 128 codes, of which one is the escape
    assert len(EXTENDED) == 10


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("", Encoding.GSM, 1),
        ("a" * 160, Encoding.GSM, 1),
        ("a" * 161, Encoding.GSM, 2),
        ("a" * 306, Encoding.GSM, 2),
        ("a" * 307, Encoding.GSM, 3),
        ("€" * 80, Encoding.GSM, 1),
        ("€" * 81, Encoding.GSM, 2),
        ("a" * 152 + "€" + "a" * 8, Encoding.GSM, 2),
        ("a" * 152 + "€" + "a" * 152, Encoding.GSM, 3),  # the escape would be torn, so a septet stays free
        ("ž" * 70, Encoding.UCS2, 1),
        ("ž" * 71, Encoding.UCS2, 2),
        ("ž" * 134, Encoding.UCS2, 2),
        ("ž" * 135, Encoding.UCS2, 3),
        ("😀" * 35, Encoding.UCS2, 1),
        ("😀" * 36, Encoding.UCS2, 2),
        ("ž" * 66 + "😀" + "ž" * 66, Encoding.UCS2, 3),  # so is a word before a surrogate pair
        ("`", Encoding.UCS2, 1),
        ("ç", Encoding.UCS2, 1),
        ("Ç", Encoding.GSM, 1),
    ],
)
def test_segments_are_counted_as_they_are_sent(text: str, encoding: Encoding, segments: int) -> None:
    assert (encoding_of(text), len(segments_of(text))) == (encoding, segments)


@given(MIXED)
def test_segments_are_the_text_and_none_is_too_long(text: str) -> None:
    found = segments_of(text)

    sizes = [_size(one, encoding_of(text)) for one in found]
    alone, together = (160, 153) if encoding_of(text) is Encoding.GSM else (70, 67)
    assert "".join(found) == text
    assert max(sizes) <= (alone if len(found) == 1 else together)
    assert (_size(text, encoding_of(text)) <= alone) == (len(found) == 1)
    assert all(size >= together - 1 for size in sizes[:-1])  # nothing is left free but for a torn character


@given(MIXED, st.integers(1, 5), st.sampled_from(["", "\nhttps://coldshelf.example/p/abc", "\nž"]))
def test_what_is_cut_fits_and_ends_as_it_should(text: str, most: int, tail: str) -> None:
    found = cut(text, most, tail)

    assert len(segments_of(found)) <= most
    assert found.endswith(tail)
    if found != text + tail:
        kept, dots = found.removesuffix(tail), "..." if encoding_of(found) is Encoding.GSM else "…"
        assert kept.endswith(dots)
        assert text.startswith(kept.removesuffix(dots))
        assert len(segments_of(text + tail)) > most


@given(st.integers(1, 5), st.sampled_from(["a", "ž"]))
def test_nothing_that_would_fit_is_cut_off(most: int, letter: str) -> None:
    room = {"a": 160 if most == 1 else 153 * most, "ž": 70 if most == 1 else 67 * most}[letter]

    assert cut(letter * room, most) == letter * room
    assert _size(cut(letter * (room + 1), most), encoding_of(letter)) == room


def test_no_sign_is_torn_when_text_is_cut() -> None:
    assert cut("a" * 60 + "👩‍🔧" * 4, 1) == "a" * 60 + "👩‍🔧" + "…"
    assert cut("ž" * 68 + "e\u0301" * 3, 1) == "ž" * 68 + "…"
    assert cut("ž" * 67 + "\u200d" * 100, 1) == "ž" * 66 + "…"


def test_a_beginning_of_gsm_alone_is_cut_as_such() -> None:
    assert cut("a" * 200 + "ž", 1) == "a" * 157 + "..."


def test_a_tail_that_is_too_long_is_cut_itself() -> None:
    assert cut("text", 1, "b" * 161) == "b" * 157 + "..."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("“Don’t” – wait…", '"Don\'t" - wait...'),
        ("5\u00a0×\u202f3 • Café", "5 x 3 * Café"),
        ("Cafe\u0301", "Café"),
        ("zero\u200bwidth", "zerowidth"),
        ("Žofín 東京", "Žofín 東京"),
    ],
)
def test_typographic_characters_become_plain_ones_and_letters_stay(text: str, found: str) -> None:
    assert plain(text) == found


def _size(text: str, encoding: Encoding) -> int:
    return (
        len(text.encode("utf-16-le")) // 2 if encoding is Encoding.UCS2 else len(text) + sum(map(text.count, EXTENDED))
    )
