"""The ways to people and systems, by name."""

from coldshelf.deliveries.channel import Channel
from coldshelf.deliveries.channels.callback import Callback

CHANNELS: dict[str, Channel] = {channel.name: channel for channel in (Callback(),)}
