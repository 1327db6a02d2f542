"""Records of every entity, made from what the declarations say that their fields take."""

from collections.abc import Callable, Mapping

import httpx

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.records.entity import Entity, Field
from coldshelf.records.fields import FieldType
from coldshelf.records.registry import Registry
from tests.records.support import Handler

SPECIAL: Mapping[str, tuple[object, ...]] = {
    "TimeZone.Name": ("Asia/Bangkok", "Asia/Tokyo", "Europe/Vienna"),
    "Publication.Datasets": ("Location", "Asset", "Location,Asset"),
    "Publication.Columns": ("{}", '{"Location": ["Name"]}', '{"Location": {"Name": "Outlet"}}'),
    "Publication.FileName": ("{table}", "{client}/{table}", "in/{table}_{yyyyMMddHHmmss}"),
    "Publication.OpenTables": (False, False, False),
    "Publication.Schedule": ("0 2 * * *", "30 6 * * 1-5", "*/15 * * * *"),
    "Publication.TimeZone": ("Europe/Berlin", "Asia/Tokyo", "UTC"),
    "Publication.Compression": ("snappy", "zstd", "gzip"),
    "Publication.Format": ("parquet", "parquet", "csv"),
    "Subscription.Url": ("https://a.example/hook", "https://b.example/hook", "https://c.example/hook"),
    "Subscription.Events": ("*", "image.*", "image.processed,order.*"),
    "Subscription.DeliverBy": ("callback", "callback", "callback"),
    "Subscription.Digest": ("each", "each", "each"),
    "Subscription.Language": ("en", "de", "pt-BR"),
    "Subscription.TimeZone": ("Europe/Berlin", "Asia/Tokyo", "UTC"),
    "Subscription.QuietFrom": ("22:00", "21:30", "20:00"),
    "Subscription.QuietTo": ("07:00", "06:30", "05:00"),
    "MessageTemplate.Event": ("image.processed", "order.accepted", "digest"),
    "MessageTemplate.Language": ("en", "de", "pt-BR"),
    "MessageSetting.Language": ("en", "de", "pt-BR"),
    "User.TimeZone": ("Europe/Berlin", "Asia/Tokyo", "UTC"),
    "User.PrimaryEmail": ("ann@example.org", "bob@example.org", "cleo@example.org"),
}
"""What fields take that know more than their type says."""


BY_TYPE: Mapping[FieldType, Callable[[int], object]] = {
    FieldType.INTEGER: lambda number: 2 + number,
    FieldType.DECIMAL: lambda number: 1.0 + number,
    FieldType.BOOLEAN: lambda number: number % 2 == 0,
    FieldType.DATE: lambda number: f"2026-01-{number + 1:02}",
    FieldType.JSON: lambda _: "[]",
}


def value_of(entity: Entity, item: Field, number: int = 0) -> object:
    """Give a value that the field takes; each number gives another one, as far as there are others."""
    special = SPECIAL.get(f"{entity.name}.{item.wire}")
    if special:
        return special[number]
    if item.choices:
        return item.choices[number % len(item.choices)]
    if item.type in BY_TYPE:
        least = int(item.minimum or 0) if item.type is FieldType.INTEGER else 0
        return BY_TYPE[item.type](max(number, least + number))
    text = f"{number} {entity.name} {item.wire}"
    return text[: item.max_length].strip() if item.max_length else text


def fields_of(entity: Entity, number: int = 0) -> dict[str, object]:
    """Give a value for every field that can be saved."""
    return {item.wire: value_of(entity, item, number) for item in entity.fields if not item.read_only}


def whole_world(declared: Registry) -> dict[str, dict[str, object]]:
    """Give one record of each entity by name, with every field and every reference that a name can resolve."""
    world = {}
    for name, entity in declared.entities.items():
        values = fields_of(entity)
        for reference in entity.references:
            target = declared.entities[reference.to]
            by = next(((sent, wire) for sent, wire in reference.by.items() if target.field(wire).unique), None)
            if by and reference.to != name:
                values[by[0]] = value_of(target, target.field(by[1]))
        world[name] = values
    return world


async def save_world(http: httpx.AsyncClient) -> dict[str, int]:
    """Save the whole world; give the id of each record by its entity."""
    return {name: (await Handler(http, name).save(**values))["id"] for name, values in whole_world(registry()).items()}
