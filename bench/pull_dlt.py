"""The same pull with dlt's rest_api source into SQLite, by its documentation. One JSON line.

python bench/pull_dlt.py URL FOLDER
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source


def source(url: str):  # type: ignore[no-untyped-def]
    """/v1/invoices with Stripe's cursor: the last id of a page, while has_more is true."""
    from dlt.sources.helpers.rest_client.paginators import BasePaginator

    class LastId(BasePaginator):
        def update_state(self, response, data=None):  # type: ignore[no-untyped-def]
            self._has_next_page = response.json()["has_more"]
            self.last = data[-1]["id"] if data else None

        def update_request(self, request):  # type: ignore[no-untyped-def]
            request.params = {**(request.params or {}), "starting_after": self.last}

    return rest_api_source(
        {
            "client": {"base_url": url, "paginator": LastId()},
            "resources": [
                {
                    "name": "invoices",
                    "endpoint": {
                        "path": "v1/invoices",
                        "params": {"limit": 100},
                        "data_selector": "data",
                    },
                }
            ],
        }
    )


def main() -> None:
    url, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    began, cpu = time.perf_counter(), time.process_time()
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.sqlalchemy(f"sqlite:///{folder / 'dlt.db'}"),
        dataset_name="main",
        pipelines_dir=str(folder / "pipelines"),
    )
    pipeline.run(source(url))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    records = pipeline.last_trace.last_normalize_info.row_counts["invoices"]
    print(
        json.dumps(
            {
                "way": "dlt",
                "records": records,
                "seconds": round(seconds, 2),
                "cpu_seconds": round(cpu + children.ru_utime + children.ru_stime, 2),
                "records_per_second": round(records / seconds),
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
