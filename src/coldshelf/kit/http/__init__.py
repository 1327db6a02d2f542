"""The one client for all outgoing calls: pictures by URL, callbacks, messages.

Checks a target before anything is sent, resolves its name once and connects to exactly what was checked; follows no
redirect on its own; bounds time, headers and size. docs/outgoing.md says what that means for an operator.
"""

from coldshelf.kit.http.client import Answer, GuardedClient, Reply, open_outgoing
from coldshelf.kit.http.names import Lookup, system_lookup

__all__ = ["Answer", "GuardedClient", "Lookup", "Reply", "open_outgoing", "system_lookup"]
