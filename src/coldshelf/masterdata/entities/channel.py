"""Trade channels, sub-channels and types of outlets: one list, reached by each of its published names."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

CHANNEL = Entity(
    name="Channel",
    table="channel",
    meaning="Trade channel, sub-channel or type of outlet",
    fields=named_fields("Channel"),
    keys=named_keys("Channel"),
    client_wide="Channels are the same for every outlet.",
    handlers=("LocationType", "OutletType"),
)
