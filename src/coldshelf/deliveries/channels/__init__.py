"""The ways to people and systems, by name."""

from coldshelf.deliveries.channel import Channel
from coldshelf.deliveries.channels.callback import Callback
from coldshelf.deliveries.channels.email import Email
from coldshelf.deliveries.channels.slack import Slack
from coldshelf.deliveries.channels.sms import Sms

CHANNELS: dict[str, Channel] = {channel.name: channel for channel in (Callback(), Email(), Slack(), Sms())}
