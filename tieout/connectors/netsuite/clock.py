"""SuiteQL's local times and UTC.

SuiteQL shows and compares times in the integration user's time zone, without saying which. The
configured zone is checked against one record, whose time REST gives in UTC.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_157305090645.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

FORMAT = "YYYY-MM-DD HH24:MI:SS"
_STAMP = "%Y-%m-%d %H:%M:%S"

OVERLAP_SURE = timedelta(minutes=15)
OVERLAP_UNSURE = timedelta(hours=24)


def utc(told: str) -> str:
    """A moment with an offset as ISO 8601 in UTC; as received if it can't be read."""
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return told
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment.tzinfo else told


@dataclass(frozen=True)
class QueryClock:
    """`sure` once the zone was seen to be right; until then windows overlap by a day."""

    zone: tzinfo
    sure: bool = False

    def literal(self, since: datetime) -> str:
        """The local time from which a window has to be read, overlap included."""
        start = since.astimezone(UTC) - (OVERLAP_SURE if self.sure else OVERLAP_UNSURE)
        local, later = start.astimezone(self.zone), start + timedelta(hours=2)
        back = (local.utcoffset() or timedelta()) - (
            later.astimezone(self.zone).utcoffset() or timedelta()
        )
        # When clocks go back an hour is shown twice, and the second time would look too old.
        return (local.replace(tzinfo=None) - max(back, timedelta())).strftime(_STAMP)

    def local(self, moment: datetime) -> str:
        """An instant as SuiteQL writes it."""
        return moment.astimezone(self.zone).replace(tzinfo=None).strftime(_STAMP)

    def utc(self, shown: str) -> str:
        """A local time of a row as ISO 8601 in UTC; as received if it can't be read."""
        try:
            local = datetime.strptime(shown, _STAMP).replace(tzinfo=self.zone)
            return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        except (ValueError, OverflowError):
            return shown

    def agrees(self, shown: str, utc: datetime) -> bool:
        """Whether a row's local time is this instant, to the second."""
        return self.utc(shown) == utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
