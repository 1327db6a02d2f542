"""Links: only the token that was made opens, GET changes nothing, and an action counts once."""

import base64
import string

import pytest

from coldshelf.access.errors import LinkWrong
from coldshelf.access.links import NUMBER_BYTES, new_number, read_token, write_token

SECRET = b"a secret of 32 bytes for testing"
LETTERS = string.ascii_lowercase + string.digits


def test_a_token_gives_its_number_back_and_has_letters_and_digits_only() -> None:
    for _ in range(200):
        number = new_number(SECRET)
        token = write_token(SECRET, number)

        assert read_token(SECRET, token) == number
        assert len(token) == 48
        assert set(token) <= set(LETTERS)


def test_a_token_with_any_letter_changed_is_wrong() -> None:
    token = write_token(SECRET, new_number(SECRET))
    altered = {token[:place] + letter + token[place + 1 :] for place in range(48) for letter in LETTERS + "A-_.=%é"}

    for wrong in altered - {token}:
        with pytest.raises(LinkWrong):
            read_token(SECRET, wrong)


def test_tokens_of_other_secrets_lengths_and_cases_are_wrong() -> None:
    number = new_number(SECRET)
    token = write_token(SECRET, number)
    unsigned = base64.b32encode(number).decode().lower()

    for wrong in (write_token(b"another", number), "", unsigned, token[:-1], token + "a", token.upper(), f" {token}",
                  token + "=" * 8, "a" * 48, token[24:] + token[:24], token + token):  # fmt: skip
        with pytest.raises(LinkWrong):
            read_token(SECRET, wrong)


def test_numbers_are_random_unless_the_same_must_come_twice() -> None:
    once = new_number(SECRET, 1, "picture.view", 7, "ada", "message 1")

    assert len({new_number(SECRET) for _ in range(1000)}) == 1000
    assert once == new_number(SECRET, 1, "picture.view", 7, "ada", "message 1")
    assert len(once) == NUMBER_BYTES
    assert once != new_number(SECRET, 1, "picture.view", 7, "ada", "message 2")
    assert once != new_number(b"another", 1, "picture.view", 7, "ada", "message 1")
