"""Cursors: where the reader of a list stands, signed, so that it can be neither guessed nor used for another list."""

from itsdangerous import BadSignature, URLSafeSerializer

from coldshelf.records.errors import CursorGone

BEGINNING = (0, -1)
"""Where a cursor begins: before every revision and id."""


def write_cursor(secret: bytes, name: str, last: tuple[int, int]) -> str:
    """Sign the revision and the id of the last row that was given; `name` is that of the list and its reader."""
    return _serializer(secret).dumps([name, *last])


def read_cursor(secret: bytes, name: str, text: str) -> tuple[int, int]:
    """Give the revision and the id behind which the list goes on; CursorGone for a cursor of another list."""
    if not text:
        return BEGINNING
    try:
        of, revision, row_id = _serializer(secret).loads(text)
    except (BadSignature, ValueError) as error:
        raise CursorGone("The cursor was not made by this server") from error
    if of != name:
        raise CursorGone("The cursor belongs to another client, dataset, filter or sight")
    return int(revision), int(row_id)


def _serializer(secret: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="list-cursor")
