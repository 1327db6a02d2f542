"""Single records: load, save, delete."""

import json
from collections.abc import Mapping

from coldshelf.client.core import KEY, Ask, Call, Reply, Steps, good_json, new_key
from coldshelf.client.lists import handler, wire
from coldshelf.client.models import Saved


def load(ask: Ask, entity: str, which: Mapping[str, object]) -> Steps[Saved]:
    """Load a record by its id or one of its codes."""
    reply = yield from ask(Call(path=handler(entity), body=_body("load", which)))
    return _saved(reply)


def write(ask: Ask, action: str, entity: str, values: Mapping[str, object], key: str | None) -> Steps[Saved]:
    """Save or delete a record; repeating it does no harm, since every try carries the same key."""
    headers = {KEY: key or new_key()}
    reply = yield from ask(Call(path=handler(entity), body=_body(action, values), headers=headers))
    return _saved(reply)


def which(record_id: int | None, codes: Mapping[str, str]) -> dict[str, object]:
    """Name a record by its id or by a code."""
    if record_id is None and not codes:
        raise ValueError("name the record by its id or by a code, such as LocationCode")
    return {**codes} if record_id is None else {"id": record_id, **codes}


def _body(action: str, values: Mapping[str, object]) -> dict[str, object]:
    plain: dict[str, object] = json.loads(json.dumps(dict(values), default=wire))
    return {"action": action} | plain


def _saved(reply: Reply) -> Saved:
    body = good_json(reply)
    return Saved(
        id=body["id"],
        record=body["data"],
        warnings=tuple(body.get("warnings", ())),
        replayed=reply.headers.get("idempotency-replayed") == "true",
    )
