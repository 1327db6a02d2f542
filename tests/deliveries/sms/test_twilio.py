"""Twilio's words: what its answers mean, and its signatures by the vectors of its own documentation and libraries."""

from datetime import timedelta
from decimal import Decimal

import orjson
import pytest

from coldshelf.deliveries.models import Answer, State, Verdict
from coldshelf.deliveries.sms.twilio import (
    Account,
    Report,
    Status,
    Word,
    is_signed,
    judge,
    message_form,
    read_form,
    read_report,
    read_status,
    signature,
    text_of,
    word_of,
)

WAITS = Verdict(state=State.WAITING, error="Status", again_after=timedelta(seconds=7))
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
SIGNED = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
"""Of https://www.twilio.com/docs/usage/security, with the token 12345."""
REPEATED = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]
REPEATED_SIGNED = "IK+Dwps556ElfBT0I3Rgjkr1wJU="
"""Of the tests of Twilio's own libraries."""


def account(base: str = "https://api.twilio.com") -> Account:
    return Account(sid="AC1", token="secret", base=base)


def test_the_published_signatures_are_reproduced() -> None:
    assert signature("12345", URL, FORM) == SIGNED
    assert is_signed("12345", URL, list(reversed(FORM)), SIGNED)
    assert is_signed("12345", URL, REPEATED, REPEATED_SIGNED)


def test_whatever_is_altered_is_not_signed() -> None:
    assert not is_signed("12346", URL, FORM, SIGNED)
    assert not is_signed("12345", URL + "&x=1", FORM, SIGNED)
    assert not is_signed("12345", URL.replace("https", "http"), FORM, SIGNED)
    assert not is_signed("12345", URL, [*FORM, ("More", "1")], SIGNED)
    assert not is_signed("12345", URL, FORM[1:], SIGNED)
    assert not is_signed(
        "12345", URL, [("Digits", "9") if name == "Digits" else (name, said) for name, said in FORM], SIGNED
    )
    assert not any(is_signed("12345", URL, FORM, given) for given in ("", "é", SIGNED.lower(), SIGNED[:-1]))


@pytest.mark.parametrize("url", ["https://a.example/x?y=1", "http://a.example/x", "https://a.example:8443/x"])
def test_addresses_are_signed_with_and_without_their_port(url: str) -> None:
    port = {"https://a.example/x?y=1": 443, "http://a.example/x": 80}.get(url, 8443)
    host = "a.example:8443" if "8443" in url else "a.example"
    with_port = url.replace(host, f"a.example:{port}")
    without = url.replace(host, "a.example")

    assert is_signed("12345", url, FORM, signature("12345", with_port, FORM))
    assert is_signed("12345", url, FORM, signature("12345", without, FORM))


def test_a_form_says_who_sends_what_and_where_its_status_goes() -> None:
    by_number = dict(read_form(message_form("+15005550006", "+436601", "Grüße & 100 %", "https://a.example/s?x=1")))
    by_service = dict(read_form(message_form("MG1", "+436601", "x", "")))

    assert by_number == {
        "To": "+436601", "From": "+15005550006", "Body": "Grüße & 100 %", "StatusCallback": "https://a.example/s?x=1",
    }  # fmt: skip
    assert by_service == {"To": "+436601", "MessagingServiceSid": "MG1", "Body": "x"}
    assert text_of(message_form("+15005550006", "+436601", "a=b&c", "")) == "a=b&c"


def test_an_account_signs_in_by_basic() -> None:
    assert account(base="https://x.example/").messages_url == "https://x.example/2010-04-01/Accounts/AC1/Messages"
    assert account().headers["authorization"] == "Basic QUMxOnNlY3JldA=="


@pytest.mark.parametrize(
    ("status", "code", "state", "words"),
    [
        (400, 21211, State.FAILED, "Twilio 21211: This is no phone number. Correct"),
        (400, 21610, State.FAILED, "Twilio 21610: The receiver has opted out"),
        (400, 21614, State.FAILED, "Twilio 21614: This is no mobile phone"),
        (400, 21617, State.FAILED, "Twilio 21617: what Twilio said"),
        (400, 21606, State.WAITING, "Twilio 21606: COLDSHELF_SMS_FROM"),
        (401, 20003, State.WAITING, "Twilio 20003: Check COLDSHELF_SMS_ACCOUNT_SID and"),
        (404, 20404, State.WAITING, "Twilio 20404: Check COLDSHELF_SMS_ACCOUNT_SID"),
        (429, 20429, State.WAITING, "Twilio 20429: what Twilio said"),
        (500, 20500, State.WAITING, "Twilio 20500: what Twilio said"),
    ],
)
def test_answers_end_a_message_or_let_it_wait(status: int, code: int, state: State, words: str) -> None:
    said = orjson.dumps({"code": code, "message": "what Twilio said", "status": status}).decode()

    verdict = judge(Answer(status=status, text=said), WAITS)

    assert verdict.state is state
    assert verdict.error.startswith(words)
    assert (verdict.again_after, verdict.is_gone) == (timedelta(seconds=7), False)


@pytest.mark.parametrize("text", ["", "<html>", "[]", '{"sid": 1}', '{"sid": "SM1", "status": "odd"}', "null"])
def test_what_is_no_message_is_not_taken_for_one(text: str) -> None:
    assert read_report(text) is None
    assert judge(Answer(status=503, text=text), WAITS).error == "Twilio: Status 503"


def test_reports_are_read() -> None:
    said = {
        "sid": "SM1", "status": "delivered", "num_segments": "2", "price": "-0.01500", "price_unit": "USD",
        "error_code": None,
    }  # fmt: skip

    assert read_report(orjson.dumps(said).decode()) == Report(
        sid="SM1", status=Status.DELIVERED, segments=2, price=Decimal("0.01500"), currency="USD"
    )
    lost = said | {"status": "undelivered", "error_code": 30006, "price": None, "num_segments": "0"}
    assert read_report(orjson.dumps(lost).decode()) == Report(
        sid="SM1", status=Status.UNDELIVERED, segments=0, error_code=30006, currency="USD"
    )
    assert [
        read_report(orjson.dumps(said | {"price": odd}).decode()).price  # type: ignore[union-attr]
        for odd in ("NaN", "x", "", "1e99", None)
    ] == [None] * 5


def test_status_calls_are_read() -> None:
    form = [("MessageSid", "SM1"), ("MessageStatus", "failed"), ("ErrorCode", "30005"), ("To", "+1")]

    assert read_status(form) == Report(sid="SM1", status=Status.FAILED, error_code=30005)
    assert read_status([("SmsSid", "SM1"), ("SmsStatus", "sent")]) == Report(sid="SM1", status=Status.SENT)
    assert read_status([("MessageSid", "SM1")]) is None
    assert read_status([("MessageStatus", "sent")]) is None
    assert read_status([("MessageSid", "SM1"), ("MessageStatus", "odd")]) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *(
            (text, Word.STOP)
            for text in ("STOP", "stop", " Stop. ", "StopAll", "unsubscribe", "CANCEL", "end", "Quit!")
        ),
        *((text, Word.START) for text in ("START", "yes", "Unstop")),
        *((text, Word.HELP) for text in ("HELP", "info")),
        *((text, None) for text in ("", "STOP it", "please stop", "yes please", "endless", "1", "stop\x00")),
    ],
)
def test_single_words_mean_something(text: str, word: Word | None) -> None:
    assert word_of(text) is word
