"""What can go wrong with subscriptions and deliveries."""

from datetime import timedelta

from coldshelf.kit.errors import Conflict, InputInvalid, NotAllowed, NotFound, TooManyRequests
from coldshelf.kit.http.errors import AnswerBroken, UrlInvalid


class EventsUnknown(InputInvalid):
    """A subscription names no event that there is"""

    code = "events_unknown"


class EventNotFound(NotFound):
    """There is no such event"""

    code = "event_not_found"
    cure = "/api/v1/events lists them."


class NothingToTrigger(NotFound):
    """There is no record that the event could be about"""

    code = "nothing_to_trigger"


class OutboxMessageNotFound(NotFound):
    """There is no such message in the outbox"""

    code = "outbox_message_not_found"


class ChannelUnknown(InputInvalid):
    """There is no such channel"""

    code = "channel_unknown"


class SandboxOff(Conflict):
    """This is no sandbox: messages leave"""

    code = "sandbox_off"
    cure = "Ask the operator to set COLDSHELF_SANDBOX where messages are to be kept."


class StreamsExceeded(TooManyRequests):
    """This client has too many open streams"""

    code = "streams_exceeded"
    retry_after = timedelta(seconds=30)
    cure = "Close one of them, or let several readers share one."


class SubscriptionNotFound(NotFound):
    """There is no such subscription"""

    code = "subscription_not_found"


class NothingToReplay(NotFound):
    """No delivery is meant"""

    code = "nothing_to_replay"
    cure = "Look at /api/v1/deliveries."


class NoMailServer(UrlInvalid):
    """No mail server is set up"""

    code = "no_mail_server"
    cure = "Ask the operator to set COLDSHELF_SMTP_HOST, then replay the delivery."


class NoSmsAccount(UrlInvalid):
    """No account for SMS is set up"""

    code = "no_sms_account"
    cure = "Ask the operator to set COLDSHELF_SMS_ACCOUNT_SID, _AUTH_TOKEN and _FROM, then replay the delivery."


class NotTwilio(AnswerBroken):
    """The answer was none of Twilio's: check COLDSHELF_SMS_BASE_URL"""

    code = "not_twilio"


class CallNotSigned(NotAllowed):
    """The call is not signed as Twilio's own"""

    code = "call_not_signed"
    cure = "COLDSHELF_PUBLIC_URL is what the URLs in the Twilio console begin with; COLDSHELF_SMS_AUTH_TOKEN signs."
