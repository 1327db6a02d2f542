import pytest

from coldshelf.access.credentials import (
    VerifiedPasswords,
    check_password,
    fingerprint,
    hash_password,
    hash_token,
    is_token,
    make_password,
    make_token,
    verify_password,
)
from coldshelf.access.errors import PasswordInvalid


def test_password_verifies_against_its_own_hash_only() -> None:
    first, second = hash_password("correct horse"), hash_password("correct horse")

    assert first != second
    assert verify_password(first, "correct horse")
    assert not verify_password(first, "correct horse ")
    assert not verify_password("not a hash", "correct horse")


@pytest.mark.parametrize("password", ["", "seven77", "x" * 257, "cs_longenough"])
def test_password_of_wrong_form_is_refused(password: str) -> None:
    with pytest.raises(PasswordInvalid):
        check_password(password)


@pytest.mark.parametrize("password", ["eight888", "x" * 256, "пароль-ü"])
def test_password_of_right_form_is_taken(password: str) -> None:
    check_password(password)


def test_made_password_may_be_set() -> None:
    check_password(make_password())


def test_token_has_prefix_and_256_random_bits() -> None:
    token = make_token()

    assert is_token(token)
    assert len(token) == 3 + 43
    assert token != make_token()
    assert len(hash_token(token)) == 32


def test_verified_password_is_known_until_its_hash_changes() -> None:
    verified = VerifiedPasswords()
    verified.remember("hash 1", "secret 1")

    assert verified.knows("hash 1", "secret 1")
    assert not verified.knows("hash 1", "secret 2")
    assert not verified.knows("hash 2", "secret 1")


def test_verified_passwords_forget_the_least_used() -> None:
    verified = VerifiedPasswords(size=2)
    verified.remember("a", "1")
    verified.remember("b", "2")
    assert verified.knows("a", "1")

    verified.remember("c", "3")

    assert verified.knows("a", "1")
    assert not verified.knows("b", "2")
    assert verified.knows("c", "3")


def test_fingerprint_depends_on_hash_and_secret() -> None:
    assert fingerprint("hash", b"secret") == fingerprint("hash", b"secret")
    assert fingerprint("hash", b"secret") != fingerprint("other", b"secret")
    assert fingerprint("hash", b"secret") != fingerprint("hash", b"other")
