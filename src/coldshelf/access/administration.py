"""The words in which roles and limits come in and go out on the handlers and the command line."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from coldshelf.access.models import AccessLimit, SecurityRole
from coldshelf.access.principal import PEOPLE, Permission, Role, reading, writing
from coldshelf.access.service import Known, LimitDraft, read_rights
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.web.params import Params

Json = dict[str, Any]  # a JSON object of any shape
_RIGHTS = TypeAdapter(dict[str, str])
_SWITCHES = TypeAdapter(dict[str, bool])
_GRANTS = TypeAdapter(dict[str, list[int]])
_NAMES = TypeAdapter(list[str])


def read_role(params: Params, known: Known, before: SecurityRole | None) -> SecurityRole:
    """Read a role; what is not sent stays as it was before. Raise InputInvalid with the field and the cure."""
    held: Mapping[str, bool] = before.rights if before else {}
    kept = {name: has for name, has in held.items() if ("Rights" if ":" in name else "Permissions") not in params}
    said = read_rights(_json(params, "Rights", _RIGHTS, {}), _json(params, "Permissions", _SWITCHES, {}), known)
    based_on = params.text("BasedOn") or (before.based_on.value if before else "")
    if based_on not in set(PEOPLE):
        raise InputInvalid(f"BasedOn takes {', '.join(sorted(PEOPLE))}")
    return SecurityRole(
        id=before.id if before else 0,
        name=params.text("Name") or (before.name if before else ""),
        based_on=Role(based_on),
        rights={**kept, **said},
        own_outlets=params.boolean("OwnOutlets", default=before.own_outlets if before else False),
    )


def read_limit(params: Params) -> LimitDraft:
    """Read what a credential shall be limited to; raise InputInvalid with the field and the cure."""
    grants: Mapping[str, Sequence[int]] = _json(params, "Grants", _GRANTS, {})
    return LimitDraft(grants, _json(params, "Datasets", _NAMES, None), _json(params, "HiddenFields", _NAMES, []))


def role_record(role: SecurityRole) -> Json:
    """Say a role as it came in: a right for each entity or dataset that it names, a switch for each permission."""
    permissions = {item.value: role.rights[item] for item in Permission if item in role.rights}
    names = sorted({name.partition(":")[0] for name in role.rights if ":" in name})
    return {
        "SecurityRoleId": role.id,
        "Name": role.name,
        "BasedOn": role.based_on,
        "Rights": {name: _right(role.rights, name) for name in names},
        "Permissions": permissions,
        "OwnOutlets": role.own_outlets,
    }


def limit_record(limit: AccessLimit) -> Json:
    return {
        "AccessLimitId": limit.id,
        "UserId": limit.user_id,
        "TokenId": limit.token_id,
        "Grants": dict(limit.grants),
        "Datasets": None if limit.datasets is None else list(limit.datasets),
        "HiddenFields": list(limit.hidden),
    }


def _right(rights: Mapping[str, bool], name: str) -> str:
    if not rights.get(reading(name)):
        return "none"
    return "write" if rights.get(writing(name)) else "read"


def _json(params: Params, name: str, shape: TypeAdapter[Any], default: Any) -> Any:  # the type is that of the shape
    text = params.text(name)
    if not text:
        return default
    try:
        return shape.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, (name, *first["loc"])))
        raise InputInvalid(f"{place}: {first['msg']}", cure=f"{name} takes {EXAMPLES[name]}") from error


EXAMPLES = {
    "Rights": '{"Asset": "write", "Location": "read", "Product": "none"}',
    "Permissions": '{"planogram.edit": true, "export": false}',
    "Grants": '{"market": [3], "outlet": [17, 18]}',
    "Datasets": '["Asset", "Location"]',
    "HiddenFields": '["personal", "Location.PrimaryPhone"]',
}
