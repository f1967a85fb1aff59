"""Pull every Stripe invoice with tieout: connector -> YAML mapping -> store. Prints one JSON line.

python bench/pull_tieout.py URL FOLDER [--again]     --again: the incremental run afterwards
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

from tieout.hub import Hub
from tieout.jobs import tasks

CONFIG = """\
systems:
  stripe: {type: stripe, api_key: '${BENCH_KEY}', base_url: '%s', calls_per_second: 1000,
           endpoint_calls_per_second: 1000,
           entities: [invoice]}
"""


def main() -> None:
    url, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yaml"
    config.write_text(CONFIG % url)
    os.environ["BENCH_KEY"] = "sk_test_benchmark"
    began, cpu = time.perf_counter(), time.process_time()
    with Hub.open(config, os.environ) as hub:
        pulled, failures = tasks.pull_systems(hub)
    assert not failures, failures
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    records = sum(each.seen for each in pulled)
    print(
        json.dumps(
            {
                "way": "tieout",
                "records": records,
                "quarantined": sum(each.quarantined for each in pulled),
                "seconds": round(seconds, 2),
                "cpu_seconds": round(cpu, 2),
                "records_per_second": round(records / seconds),
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
