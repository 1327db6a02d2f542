"""What can go wrong at the door."""

from datetime import timedelta

from coldshelf.kit.errors import Conflict, Gone, InputInvalid, NotAllowed, NotFound, NotSignedIn, TooManyRequests


class WrongCredentials(NotSignedIn):
    """The user name or the password is wrong"""

    code = "wrong_credentials"


class SignInEnded(NotSignedIn):
    """This sign-in has ended"""

    code = "sign_in_ended"
    cure = "Sign in again."


class TooManyFailures(TooManyRequests):
    """Too many failed sign-ins for this user name"""

    code = "too_many_failures"
    cure = "Wait for the seconds in Retry-After; then send the right password."

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__()
        self.retry_after = retry_after


class RateExceeded(TooManyRequests):
    """Too many requests with this credential within a minute"""

    code = "rate_exceeded"
    cure = "Wait for the seconds in Retry-After."

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__()
        self.retry_after = retry_after


class ForeignOrigin(NotAllowed):
    """This call changes something and comes from another site"""

    code = "foreign_origin"
    cure = (
        "Send the Origin of this server with the cookie, or HTTP Basic credentials or a token without an Origin; "
        "an operator may add an origin to COLDSHELF_ALLOW_ORIGINS."
    )


class PasswordInvalid(InputInvalid):
    """This password cannot be set"""

    code = "password_invalid"


class ClientNotFound(NotFound):
    """There is no such client"""

    code = "client_not_found"


class ClientCodeTaken(Conflict):
    """There is a client with this code"""

    code = "client_code_taken"
    cure = "Use another code."


class UserNotFound(NotFound):
    """There is no such user"""

    code = "user_not_found"


class UserNameTaken(Conflict):
    """There is a user with this name"""

    code = "user_name_taken"
    cure = "Use another user name; names are unique in the whole installation."


class TokenNotFound(NotFound):
    """There is no such token"""

    code = "token_not_found"


class DeviceNotFound(NotFound):
    """There is no such device"""

    code = "device_not_found"


class RoleNotFound(NotFound):
    """There is no such role"""

    code = "role_not_found"


class RoleNameTaken(Conflict):
    """There is a role with this name"""

    code = "role_name_taken"
    cure = "Use another name."


class RoleInUse(Conflict):
    """Users have this role"""

    code = "role_in_use"
    cure = "Give them another role first."


class LinkWrong(NotFound):
    """This link is not right"""

    code = "link_wrong"
    cure = "Open it as it was sent to you, or ask for a new one."


class LinkExpired(Gone):
    """This link has expired"""

    code = "link_expired"
    cure = "Ask for a new one."


class LinkRevoked(Gone):
    """This link was taken back"""

    code = "link_revoked"
    cure = "Ask for a new one."


class LinkUsed(Gone):
    """This link was used"""

    code = "link_used"
    cure = "It works once. Ask for a new one."


class LinkDecided(Conflict):
    """This link has decided otherwise already"""

    code = "link_decided"
    cure = "What was decided stands; ask whoever sent you the link to change it."


class LinkActionUnknown(InputInvalid):
    """This link does not do that"""

    code = "link_action_unknown"
    cure = "Use the buttons of its page."


class TooManyWrongLinks(TooManyRequests):
    """Too many wrong links from this address"""

    code = "too_many_wrong_links"
    cure = "Wait a minute; then open the link as it was sent to you."

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__()
        self.retry_after = retry_after


class LinkNotFound(NotFound):
    """There is no such link"""

    code = "link_not_found"


class PurposeUnknown(InputInvalid):
    """There is no such purpose of a link"""

    code = "purpose_unknown"
