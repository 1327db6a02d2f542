"""What can come of an outgoing call. None says what an address answered, nor where a name leads.

OutgoingFailed
├── UrlInvalid         400  cannot be read, or read in two ways
│   ├── SchemeRefused
│   ├── PortRefused
│   └── TargetRefused       leads to an address or a name inside
└── CallFailed         502  it was tried
    ├── HostUnknown · ConnectFailed · TlsFailed · CallTimedOut · AnswerBroken
    ├── AnswerTooLarge
    └── Redirected · StatusUnexpected
"""

from coldshelf.kit.errors import ColdshelfError


class OutgoingFailed(ColdshelfError):
    """An outgoing call was not made or failed"""

    code = "outgoing_failed"
    status = 502


class UrlInvalid(OutgoingFailed):
    """The URL cannot be used"""

    code = "url_invalid"
    status = 400
    cure = "Give an absolute URL such as https://host.example/path: no user name, no blanks, names as xn--…."


class SchemeRefused(UrlInvalid):
    """Only https:// is called"""

    code = "url_scheme_refused"
    cure = "Use https://, or ask the operator to set COLDSHELF_OUTGOING_HTTP."


class PortRefused(UrlInvalid):
    """This port is not called"""

    code = "url_port_refused"
    cure = "Use a port of COLDSHELF_OUTGOING_PORTS, or ask the operator to add it there."


class TargetRefused(UrlInvalid):
    """The URL leads to an address that is not public"""

    code = "target_refused"
    cure = "Use a public address, or ask the operator to open this one in COLDSHELF_OUTGOING_ALLOW."


class CallFailed(OutgoingFailed):
    """The outgoing call failed"""

    code = "call_failed"
    retry = True


class HostUnknown(CallFailed):
    """The name of the host is not known"""

    code = "host_unknown"
    cure = "Check the name in the URL."


class ConnectFailed(CallFailed):
    """The host could not be connected to"""

    code = "connect_failed"
    cure = "Check that the host is reachable from here, on this port."


class TlsFailed(CallFailed):
    """The host's certificate could not be verified"""

    code = "tls_failed"
    cure = "Use a certificate for this name from a public authority, or set COLDSHELF_OUTGOING_CA_FILE."


class CallTimedOut(CallFailed):
    """The host did not answer in time"""

    code = "call_timed_out"
    cure = "Answer faster; COLDSHELF_OUTGOING_TIMEOUT says how long it may take."


class AnswerBroken(CallFailed):
    """The answer broke off or is no HTTP"""

    code = "answer_broken"


class AnswerTooLarge(CallFailed):
    """The answer is too large"""

    code = "answer_too_large"
    retry = False


class Redirected(CallFailed):
    """The host sent the call elsewhere"""

    code = "redirected"
    retry = False
    cure = "Give the URL at which the redirects end."


class StatusUnexpected(CallFailed):
    """The host answered with another status than 200"""

    code = "status_unexpected"
    cure = "Check that the URL can be read without signing in."
