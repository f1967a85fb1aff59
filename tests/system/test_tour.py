"""Every command of docs/tour.md runs as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

TOUR = Path(__file__).parent.parent.parent / "docs" / "tour.md"
EXPECTED = {"demo": 3, "status": 3, "breaks": 3, "reconcile": 3}  # breaks need a person


def test_the_tour(tmp_path: Path) -> None:
    text = TOUR.read_text()
    sample = re.search(r"```json\n(.*?)```", text, re.S)
    assert sample
    folder = tmp_path
    ran = 0
    for block in re.findall(r"```sh\n(.*?)```", text, re.S):
        for line in block.strip().splitlines():
            words = line.split()
            if words[0] == "cd":
                folder = folder / words[1]
                (folder / "customer.json").write_text(sample[1])
                continue
            assert words[0] == "tieout"
            done = subprocess.run(
                [sys.executable, "-m", "tieout", *words[1:]],
                cwd=folder,
                capture_output=True,
                text=True,
                env={**os.environ, "COLUMNS": "200"},
                timeout=120,
            )
            command = next((word for word in words[1:] if word in EXPECTED), "")
            assert done.returncode == EXPECTED.get(command, 0), f"{line}\n{done.stderr}"
            assert "Traceback" not in done.stderr
            ran += 1
    assert ran >= 14
