from collections.abc import Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coldshelf.kit.errors import InputInvalid, TooLarge
from coldshelf.kit.web.params import Params, read_form, read_params

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json; charset=utf-8"}


async def sent(
    url: str = "/",
    *,
    reader: Callable[[Request], Awaitable[Params]] = read_params,
    method: str = "POST",
    content: bytes | None = None,
    headers: dict[str, str] | None = None,
    **body: object,
) -> Params:
    """Send a request through an application and give what it read."""
    read: list[Params] = []

    async def handler(request: Request) -> Response:
        read.append(await reader(request))
        return Response()

    app = Starlette(routes=[Route("/", handler, methods=["GET", "POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shelf.test") as client:
        await client.request(method, url, content=content, headers=headers, **body)  # type: ignore[arg-type]
    return read[0]


def test_names_are_found_in_any_case_and_the_first_wins() -> None:
    params = Params([("Serial", "A"), ("SERIAL", "B"), ("x", "")])

    assert params["sERIAL"] == "A"
    assert "SeriaL" in params
    assert "y" not in params
    assert list(params.items()) == [("Serial", "A"), ("x", "")]
    assert len(params) == 2
    assert "A" not in repr(params)


async def test_query_is_read() -> None:
    params = await sent("/?Action=list&start=0&a=b+c&a=d&empty=&u=%C3%BC", method="GET")

    assert dict(params) == {"Action": "list", "start": "0", "a": "b c", "empty": "", "u": "ü"}


async def test_form_wins_over_query() -> None:
    params = await sent("/?action=list&limit=5", data={"ACTION": "save"})

    assert params["action"] == "save"
    assert params["limit"] == "5"


async def test_form_alone_leaves_the_query_out() -> None:
    params = await sent("/?a=1", reader=read_form, data={"b": "2"})

    assert dict(params) == {"b": "2"}


async def test_multipart_fields_are_read_and_files_skipped() -> None:
    params = await sent(
        "/?q=1",
        data={"Serial": "ü", "empty": ""},
        files={"file": ("a.jpg", b"\xff\xd8" * 1000, "image/jpeg")},
    )

    assert dict(params) == {"Serial": "ü", "empty": "", "q": "1"}


async def test_json_object_is_read() -> None:
    params = await sent(json={"id": 7, "flag": True, "none": None, "name": "x", "filters": {"a": [1]}})

    assert dict(params) == {"id": "7", "flag": "true", "none": "", "name": "x", "filters": '{"a":[1]}'}


async def test_empty_body_of_any_type_is_no_parameter() -> None:
    assert dict(await sent("/?a=1", headers={"Content-Type": "text/plain"})) == {"a": "1"}
    assert dict(await sent("/?a=1")) == {"a": "1"}


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"a=%ff", FORM),
        (b"a=\xff", FORM),
        (b"[1]", JSON),
        (b"{", JSON),
        (b"x", {"Content-Type": "text/plain"}),
        (b"x", {}),
        (b"x", {"Content-Type": "multipart/form-data"}),
        (b"x", {"Content-Type": "multipart/form-data; boundary=b"}),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
            {"Content-Type": "multipart/form-data; boundary=b"},
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n',
            {"Content-Type": "multipart/form-data; boundary=b"},
        ),
        (b"--b\r\n\r\n1\r\n--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}),
    ],
)
async def test_body_that_cannot_be_read_is_an_error(content: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(InputInvalid):
        await sent(content=content, headers=headers)


async def test_query_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(InputInvalid, match=r"query string is not UTF-8"):
        await sent("/?a=%ff", method="GET")


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"a=" + b"x" * 1024 * 1024, FORM),
        (b"&".join(b"a=1" for _ in range(1001)), FORM),
        (
            b"".join(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' for _ in range(1001)) + b"--b--",
            {"Content-Type": "multipart/form-data; boundary=b"},
        ),
        (b'"' + b"x" * 1024 * 1024 + b'"', JSON),
    ],
)
async def test_too_much_is_refused(content: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(TooLarge):
        await sent(content=content, headers=headers)


def test_text_is_stripped_and_has_a_default() -> None:
    params = Params([("a", " x "), ("b", "  "), ("c", "x\0")])

    assert params.text("A") == "x"
    assert params.text("b", "default") == "default"
    assert params.text("missing") == ""
    with pytest.raises(InputInvalid, match=r"^c takes"):
        params.text("c")


def test_every_value_of_a_name_is_stripped_and_empty_ones_are_left_out() -> None:
    params = Params([("a[]", " x "), ("A[]", "  "), ("a[]", "y"), ("b[]", ""), ("c[]", "x"), ("c[]", "y\0")])

    assert params.every("a[]") == ["x", "y"]
    assert params.every("b[]") == params.every("missing") == []
    with pytest.raises(InputInvalid, match=r"^c\[\] takes"):
        params.every("c[]")


@pytest.mark.parametrize(("text", "number"), [("7", 7), (" -7 ", -7), ("+0", 0), ("", 9), (str(2**63 - 1), 2**63 - 1)])
def test_integer_is_read(text: str, number: int) -> None:
    assert Params([("limit", text)]).integer("limit", default=9) == number


@pytest.mark.parametrize("text", ["x", "1.0", "1e3", "²", "\u0661", "0x1", "1_0", str(2**63), "9" * 5000])
def test_wrong_integer_names_the_parameter(text: str) -> None:
    with pytest.raises(InputInvalid, match=r"^limit takes a whole number, not "):
        Params([("limit", text)]).integer("limit")


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("true", True),
        ("TRUE", True),
        ("1", True),
        ("Yes", True),
        ("false", False),
        ("0", False),
        ("nO", False),
        ("", True),
    ],
)
def test_boolean_is_read(text: str, truth: bool) -> None:
    assert Params([("Verify", text)]).boolean("verify", default=True) is truth


@pytest.mark.parametrize("text", ["2", "on", "y", "wahr"])
def test_wrong_boolean_names_the_parameter(text: str) -> None:
    with pytest.raises(InputInvalid, match=r"^verify takes true, false"):
        Params([("Verify", text)]).boolean("verify")
