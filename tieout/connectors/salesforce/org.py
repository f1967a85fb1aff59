"""One org as it is reached: its client and library, made when the login has told its address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tieout.core.ports import HttpAnswer, Ports
from tieout.rest import Learned, Pace, Pool, RestClient

from .errors import explain, judge
from .library import Library
from .login import Login
from .schema import Schema
from .settings import SalesforceConfig

DAY = "day"
SMALLEST_ORG = 15_000  # calls a day of a developer org, until an answer tells the real number
_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")


class Org:
    """What everything else of the connector works with.

    id         the organization's, 18 characters; "" where the login does not tell it.
    instance   the address of its data and of its pages.
    """

    def __init__(
        self, settings: SalesforceConfig, ports: Ports, login: Login, *, where: str = ""
    ) -> None:
        session = login.session()
        self.settings, self.ports, self.where = settings, ports, where
        self.id = session.org or settings.organization_id
        self.instance = session.instance_url
        self.rest = RestClient(
            session.instance_url,
            ports=ports,
            auth=login,
            pace=_pace(settings, ports, self.id),
            explain=explain,
            judge=judge,
            learn=lambda answer: learned(answer, settings.daily_share_percent),
            headers={"Sforce-Call-Options": "client=tieout"},
            where=where,
            timeout=(10.0, 120.0),
            total_seconds=600.0,
            secrets=(settings.webhook_token.get_secret_value(),),
        )
        self.library = Library(
            self.rest, session.instance_url, settings.api_version, settings.page_size
        )
        self.schema = Schema(self.library, where=where)


def _pace(settings: SalesforceConfig, ports: Ports, org: str) -> Pace:
    share = SMALLEST_ORG * settings.daily_share_percent // 100
    return Pace(
        settings.calls_per_second,
        max(1, int(settings.calls_per_second)),
        ports=ports,
        concurrency=settings.concurrency,
        credential=f"salesforce:{org or settings.client_id.strip()}",
        pools=(Pool(DAY, share, 86_400),),
    )


def learned(answer: HttpAnswer, share_percent: int) -> Iterator[Learned]:
    """Our part of the org's day: what all integrations used counts against it.

    `Sforce-Limit-Info: api-usage=22/15000`, which may go on with the usage of one app.
    """
    found = _USAGE.search(answer.headers.get("sforce-limit-info", ""))
    if found:
        used, limit = int(found[1]), int(found[2]) * share_percent // 100
        yield Learned(DAY, limit=limit, used=used, remaining=max(0, limit - used))
