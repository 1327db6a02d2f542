"""The link that ends a subscription, which stands in the header of every mail for the mail programs of its reader.

It has a door of its own: programs post there by themselves (RFC 8058), from nowhere and without a form, as long as the
mail is kept. Links to records are `access.links`.
"""

import hashlib
import hmac

from itsdangerous import BadSignature, URLSafeSerializer

from coldshelf.deliveries.models import Delivery
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime

PURPOSE = "message.unsubscribe"


def unsubscribe_link(run: Runtime, delivery: Delivery, address: str) -> str:
    """Give the address at which the person behind a mailbox ends a subscription; nothing in it tells of a person.

    Empty for what no subscription sends.
    """
    if delivery.subscription_id is None:
        return ""
    signed = URLSafeSerializer(run.secret, salt=PURPOSE).dumps(
        [delivery.client_id, delivery.subscription_id, _mark(run, address)]
    )
    return f"{run.settings.public_base}/unsubscribe/{signed}"


def read_unsubscribe(run: Runtime, token: str) -> tuple[ClientId, int, str] | None:
    """Read a token: client, subscription, and the mark of the mailbox; None when it is not one of ours."""
    try:
        client_id, subscription_id, mark = URLSafeSerializer(run.secret, salt=PURPOSE).loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    return ClientId(int(client_id)), int(subscription_id), str(mark)


def is_for(run: Runtime, mark: str, address: str) -> bool:
    """Say whether a mark is that of a mailbox."""
    return hmac.compare_digest(mark, _mark(run, address))


def _mark(run: Runtime, address: str) -> str:
    return hmac.new(run.secret, address.lower().encode(), hashlib.sha256).hexdigest()[:12]
