"""The contract of a channel: how one message reaches one receiver."""

from datetime import datetime
from typing import Protocol

from coldshelf.deliveries.models import Answer, Delivery, Parcel, Verdict
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.runtime import Runtime


class Channel(Protocol):
    """One way to a person or a system. A further one is one file, and one name in `channels`."""

    name: str
    ends_when_failing: bool
    """Days of failures are the receiver's fault, and end its subscription; a mail server is the operator's."""

    async def pack(self, run: Runtime, around: Surroundings, delivery: Delivery, sent_on: datetime) -> Parcel:
        """Write the message of a loaded delivery.

        Raise Withheld when its receiver may not have it, PutOff when it may not have it now.
        """
        ...

    async def carry(self, run: Runtime, delivery: Delivery, parcel: Parcel) -> Answer:
        """Take it to its address; raise CallFailed when that may work later, UrlInvalid or Withheld when not."""
        ...

    def judge(self, answer: Answer, sent_on: datetime) -> Verdict:
        """Say what the answer means."""
        ...
