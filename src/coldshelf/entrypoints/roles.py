"""The page of roles in the docs, made from the declarations: who may do what, and what limits the rows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from coldshelf.access.principal import ADMINS, Permission, Role, reading, writing
from coldshelf.access.routes import WORKS
from coldshelf.entrypoints.api import extra_actions
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.records.dataset import Dataset
from coldshelf.records.handlers import READS, WRITES, Extra, ExtraRead, ExtraWrite
from coldshelf.records.links.datasets import LINKS
from coldshelf.records.registry import Registry

SHOWN = (Role.CLIENT_ADMIN, Role.INSTALLER, Role.SALES_REP, Role.DEVICE)
HEAD = """# Roles and limits: the whole matrix

Made from the declarations in the code by `coldshelf roles`; a test keeps it true. How roles and limits are set is on
[the page about them](access.md).

*Right* is what a role of your own may say otherwise. *Rows* says what a credential that is limited to outlets sees.

| handler | action | {roles} | right | rows |
| --- | --- | {lines} | --- | --- |"""
EVERY_OUTLET = "refused where outlets are limited"
OTHER_WRITES = (
    ("ProductImage", "save", "ProductImage"),
    ("ProductImage", "delete", "ProductImage"),
    ("/api/v1/links", "mint", LINKS),
    ("/api/v1/links", "revoke", LINKS),
)
"""What client admins write beside entities and further actions: handler, action, and what the right is named after."""


@dataclass(frozen=True, slots=True)
class Line:
    """One action of one handler: who may, the right that it takes, and which rows a limit lets through."""

    handler: str
    action: str
    roles: frozenset[Role]
    right: str
    rows: str


def role_lines(declared: Registry, extra: Mapping[str, Extra]) -> Iterator[Line]:
    """Give every action of every handler that reads or writes records."""
    for dataset in declared.listed:
        rows = _rows(dataset)
        for action in ("list", *(READS if dataset.name in declared.entities else ())):
            yield Line(dataset.name, action, dataset.readers, reading(dataset.name), rows)
        may_export = dataset.readers & Permission.EXPORT.holders
        if dataset.handler:
            yield Line(dataset.name, "export", may_export, f"{reading(dataset.name)}, {Permission.EXPORT}", rows)
        if entity := declared.entities.get(dataset.name):
            changed = rows if dataset.location else EVERY_OUTLET
            for action in WRITES:
                yield Line(dataset.name, action, entity.writers, entity.permission or writing(entity.name), changed)
        for action, item in extra.get(dataset.name, {}).items():
            yield _extra_line(dataset, action, item)
    for handler, action, written in OTHER_WRITES:
        yield Line(handler, action, ADMINS, writing(written), EVERY_OUTLET)
    yield Line("CoolRAPI", "uploadimage", Permission.UPLOAD.holders, Permission.UPLOAD, "coolers of its outlets")
    for handler, works in WORKS.items():
        for action in works:
            yield Line(handler, action, Permission.ROLES.holders, Permission.ROLES, "refused to limited credentials")


def _extra_line(dataset: Dataset, action: str, item: ExtraRead | ExtraWrite) -> Line:
    rows = EVERY_OUTLET if item.every_outlet else _rows(dataset)
    if isinstance(item, ExtraRead):
        return Line(dataset.name, action, item.readers, reading(dataset.name), rows)
    changed = rows if dataset.location else EVERY_OUTLET
    return Line(dataset.name, action, item.writers, item.permission or writing(dataset.name), changed)


def roles_page() -> str:
    """Write the page as Markdown."""
    declared = registry()
    head = HEAD.format(roles=" | ".join(SHOWN), lines=" | ".join("---" for _ in SHOWN))
    lines = _grouped(role_lines(declared, extra_actions(declared)))
    return "\n".join([head, *map(_line, lines), *_permissions(), *_personal(declared)]) + "\n"


def _grouped(lines: Iterable[Line]) -> list[Line]:
    """Put the actions of a handler that are declared alike into one line."""
    found: dict[Line, list[str]] = {}
    for line in lines:
        found.setdefault(replace(line, action=""), []).append(line.action)
    return [replace(line, action=", ".join(actions)) for line, actions in found.items()]


def _line(line: Line) -> str:
    may = " | ".join("yes" if role in line.roles else "" for role in SHOWN)
    return f"| `{line.handler}` | {line.action} | {may} | `{line.right}` | {line.rows} |"


def _rows(dataset: Dataset) -> str:
    if dataset.every_outlet:
        return EVERY_OUTLET
    if dataset.location is None:
        return f"all: {dataset.client_wide}"
    return f"by the outlet of its {dataset.location_of.name}" if dataset.location_of else "by its outlet"


def _permissions() -> Iterator[str]:
    yield "\n## Permissions\n\nBesides reading and writing. A role of your own may give or take each of them.\n"
    yield f"| permission | meaning | {' | '.join(SHOWN)} |\n| --- | --- | {' | '.join('---' for _ in SHOWN)} |"
    for permission in Permission:
        may = " | ".join("yes" if role in permission.holders else "" for role in SHOWN)
        yield f"| `{permission}` | {permission.meaning} | {may} |"


def _personal(declared: Registry) -> Iterator[str]:
    yield "\n## Personal fields\n\nHidden together by the name `personal`.\n\n| dataset | fields |\n| --- | --- |"
    for dataset in declared.datasets.values():
        fields = ", ".join(f"`{column.wire}`" for column in dataset.columns if column.personal)
        yield f"| `{dataset.name}` | {fields} |"
