"""Key accounts."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

KEY_ACCOUNT = Entity(
    name="KeyAccount",
    table="key_account",
    meaning="Key account to which outlets and users belong",
    fields=named_fields("KeyAccount"),
    keys=named_keys("KeyAccount"),
    client_wide="Key accounts are the same for every outlet.",
)
