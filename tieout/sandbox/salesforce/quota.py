"""What an org may use in a rolling day: calls, Bulk query jobs, Bulk batches.

https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
"""

from __future__ import annotations

from collections import deque
from typing import Any

from ..clock import SandboxClock

_DAY = 24 * 3600
_SLICE = 60


class Rolling:
    """Counts what happened in the past 24 hours, minute by minute."""

    def __init__(self, clock: SandboxClock, limit: int, enforced: bool) -> None:
        self._clock, self.limit, self.enforced = clock, limit, enforced
        self._slices: deque[list[int]] = deque()
        self._used = 0

    @property
    def used(self) -> int:
        oldest = self._clock.timestamp() - _DAY
        while self._slices and self._slices[0][0] <= oldest:
            self._used -= self._slices.popleft()[1]
        return self._used

    @property
    def exhausted(self) -> bool:
        return self.enforced and self.used >= self.limit

    def take(self, number: int = 1) -> None:
        now = self._clock.timestamp()
        if not self._slices or self._slices[-1][0] < now - _SLICE:
            self._slices.append([now, 0])
        self._slices[-1][1] += number
        self._used += number

    def as_limit(self) -> dict[str, int]:
        return {"Max": self.limit, "Remaining": max(self.limit - self.used, 0)}


class Quota:
    """The org's rolling limits, and how they are told."""

    def __init__(
        self, clock: SandboxClock, calls: int, query_jobs: int, batches: int, enforced: bool
    ) -> None:
        self.calls = Rolling(clock, calls, enforced)
        self.query_jobs = Rolling(clock, query_jobs, enforced)
        self.batches = Rolling(clock, batches, enforced)

    def header(self, per_app: bool) -> str:
        """`api-usage=22/15000`, perhaps with the share of this app."""
        used = self.calls.used
        shown = f"api-usage={used}/{self.calls.limit}"
        own = f"; per-app-api-usage={used}/{self.calls.limit}(appName=tieout)"
        return shown + own if per_app else shown

    def limits(self, data_mb: int) -> dict[str, Any]:
        """The answer of /limits."""
        fixed = {
            "ConcurrentAsyncGetReportInstances": 200,
            "ConcurrentSyncReportRuns": 20,
            "DailyAsyncApexExecutions": 250_000,
            "DailyBulkV2QueryFileStorageMB": 976_562,
            "DailyDeliveredPlatformEvents": 10_000,
            "DailyDurableStreamingApiEvents": 10_000,
            "DailyGenericStreamingApiEvents": 10_000,
            "DailyStandardVolumePlatformEvents": 10_000,
            "DailyStreamingApiEvents": 10_000,
            "DailyWorkflowEmails": 1_000,
            "FileStorageMB": 10_240,
            "HourlyAsyncReportRuns": 1_200,
            "HourlyPublishedPlatformEvents": 50_000,
            "HourlySyncReportRuns": 500,
            "HourlyTimeBasedWorkflow": 1_000,
            "MassEmail": 5_000,
            "Package2VersionCreates": 6,
            "SingleEmail": 5_000,
        }
        shown: dict[str, Any] = {
            name: {"Max": number, "Remaining": number} for name, number in fixed.items()
        }
        shown["DailyApiRequests"] = self.calls.as_limit()
        shown["DailyBulkApiBatches"] = self.batches.as_limit()
        shown["DailyBulkV2QueryJobs"] = self.query_jobs.as_limit()
        shown["DataStorageMB"] = {"Max": 10_240, "Remaining": max(10_240 - data_mb, 0)}
        return dict(sorted(shown.items()))
