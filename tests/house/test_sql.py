"""SQL names only the tables of its own room."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from coldshelf.entrypoints.bootstrap import registry

ROOMS = Path(__file__).parent.parent.parent / "src" / "coldshelf"
OWNERS = {
    "kit": {"event", "event_step", "idempotency", "server_generation", "server_secret", "pgqueuer", "pgqueuer_log"},
    "access": {
        "client",
        "app_user",
        "api_token",
        "device_credential",
        "door_user",
        "door_token",
        "security_role",
        "access_limit",
        "access_grant",
        "link",
        "link_action",
        "door_link",
    },
    "records": {"list_position", "import_run", "import_change"},
    "masterdata": {
        "manufacturer",
        "brand",
        "location",
        "asset_type",
        "product",
        "product_image",
        "planogram",
        "planogram_product",
        "asset",
        "smart_device",
        "market",
        "channel",
        "classification",
        "key_account",
        "customer",
        "distributor",
        "route",
        "packaging_type",
        "measurement_unit",
        "product_category",
        "beverage_type",
        "smart_device_type",
        "replenish_model",
        "country",
        "state",
        "time_zone",
        "contact",
        "sales_rep",
        "outlet_action",
        "factory_asset",
        "principal_outlet",
        "left_outlet",
        "left_sight",
    },
    "pictures": {
        "picture",
        "picture_file",
        "picture_review",
        "rendition",
        "upload_answer",
        "resumable_upload",
        "quarantine",
        "door_picture",
    },
    "recognition": {
        "recognition_result",
        "served_result",
        "facing",
        "reprocessing",
        "reprocessing_picture",
        "reprocessing_progress",
    },
    "compliance": {"position_match", "facing_compliance"},
    "kpis": {"picture_kpi", "reprocessing_figures"},
    "publishing": {"publication", "publication_run", "publication_mark", "erasure"},
    "deliveries": {
        "subscription",
        "callback_secret",
        "delivery",
        "delivery_attempt",
        "digest_entry",
        "message_template",
        "message_setting",
        "bounced_address",
        "sms_message",
        "sms_month",
        "sms_opt_out",
        "door_sms",
        "outbox",
        "outbox_switch",
    },
}
TABLES = {table: room for room, tables in OWNERS.items() for table in tables}
NAMED = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:ONLY\s+)?\"?([a-z_]+)\"?", re.MULTILINE)
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE)\b")


def statements() -> Iterator[tuple[Path, str]]:
    for path in sorted(ROOMS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
                yield path, node.value


def test_statements_name_tables_of_their_own_room_only() -> None:
    foreign = [
        f"{path.relative_to(ROOMS)}: {table} belongs to {TABLES[table]}"
        for path, text in statements()
        for table in NAMED.findall(text)
        if table in TABLES and TABLES[table] != path.relative_to(ROOMS).parts[0]
    ]

    assert [line for line in foreign if not line.startswith("entrypoints/doctor.py")] == []


def test_the_check_sees_a_foreign_table() -> None:
    assert NAMED.findall("SELECT * FROM picture p JOIN location l") == ["picture", "location"]


def test_every_migrated_table_has_an_owner() -> None:
    texts = "".join(path.read_text() for path in (ROOMS / "migrations" / "versions").glob("*.sql"))

    made = set(re.findall(r"CREATE (?:UNLOGGED )?TABLE ([a-z_]+)", texts))

    assert made - set(TABLES) <= {"pgqueuer_schedules", "pgqueuer_statistics"}


def test_datasets_join_relations_of_their_room_or_of_column_groups() -> None:
    relations = {join.relation for dataset in registry().datasets.values() for join in dataset.joins}

    assert relations <= set(TABLES)
