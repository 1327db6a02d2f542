"""Says on every answer of an operation that it is deprecated, since when, and until when it is served.

@router.get("/old", deprecated=True, dependencies=[Depends(Deprecated(since=…, sunset=…, link="…"))])
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

from starlette.requests import Request

from coldshelf.kit.web.request import add_header

NOTICE = timedelta(days=365)
"""What is deprecated is served at least so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecated:
    """A dependency of a route: headers `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link to what to do.

    Times are aware UTC.
    """

    since: datetime
    sunset: datetime
    link: str

    def __post_init__(self) -> None:
        if self.sunset < self.since + NOTICE:
            raise ValueError(f"sunset {self.sunset}: what is deprecated is served for at least {NOTICE.days} days")

    async def __call__(self, request: Request) -> None:
        add_header(request, "Deprecation", f"@{int(self.since.timestamp())}")
        add_header(request, "Sunset", format_datetime(self.sunset, usegmt=True))
        add_header(request, "Link", f'<{self.link}>; rel="deprecation"')
