"""`tieout connectors new`: what it writes runs at once, as a package of its own, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def run(*command: str | Path, cwd: Path, code: int = 0, **changes: str) -> str:
    """Output of a command that must end with this exit code."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**ENVIRONMENT, **changes},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def tieout(*words: str, cwd: Path, code: int = 0) -> str:
    return run(sys.executable, "-m", "tieout", *words, cwd=cwd, code=code)


def suite(folder: Path, *, code: int = 0) -> str:
    path = f"{folder}{os.pathsep}{ROOT}"
    words = ("-m", "pytest", "-p", "no:cacheprovider", "-W", "error", "-q", "-rf", "--tb=no")
    return run(sys.executable, *words, cwd=folder, code=code, PYTHONPATH=path)


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    tieout("connectors", "new", "acme", cwd=tmp_path)
    return tmp_path / "tieout-acme"


def test_the_new_connector_keeps_every_promise_at_once(acme: Path) -> None:
    assert " passed" in suite(acme)


def test_a_name_that_is_taken_or_no_name_is_refused(tmp_path: Path) -> None:
    assert "already" in tieout("connectors", "new", "stripe", cwd=tmp_path, code=2)
    assert "cannot be" in tieout("connectors", "new", "../x", cwd=tmp_path, code=2)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(acme: Path, tmp_path: Path) -> None:
    (acme / "README.md").write_text("mine")
    assert "not overwritten" in tieout("connectors", "new", "acme", cwd=tmp_path, code=2)
    assert (acme / "README.md").read_text() == "mine"


def test_as_a_distribution_of_its_own_config_yaml_knows_it(acme: Path, tmp_path: Path) -> None:
    """A new environment that has tieout, and into which the package is installed by pip."""
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    (site,) = (home / "lib").glob("python*/site-packages")
    here = [each for each in sys.path if each.endswith("site-packages")]
    (site / "tieout-of-the-test.pth").write_text("\n".join([str(ROOT), *here]) + "\n")
    bare: dict[str, str] = {"PYTHONPATH": ""}
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index")
    run(python, *pip, "--no-deps", "--no-build-isolation", acme, cwd=tmp_path, **bare)
    listed = run(python, "-m", "tieout", "connectors", "list", "--json", cwd=tmp_path, **bare)
    told: dict[str, Any] = json.loads(listed)
    assert "create" in told["acme"]["customer"] and "create" not in told["acme"]["invoice"]
    (tmp_path / "config.yaml").write_text(
        "systems:\n  here: {type: acme, api_key: '${KEY}', webhook_secret: '${KEY}'}\n"
    )
    checked = run(python, "-m", "tieout", "check", "--offline", cwd=tmp_path, **bare)
    assert "here: acme" in checked
    record = {"id": "1", "name": "Ada", "currency": "USD", "state": "active"}
    (tmp_path / "one.json").write_text(json.dumps(record))
    words = ("map", "--connector", "acme", "--entity", "customer", "one.json", "--json")
    mapped = json.loads(run(python, "-m", "tieout", *words, cwd=tmp_path, **bare))
    assert (mapped["name"], mapped["status"]) == ("Ada", "active")


# A connector that breaks one promise, and the test that must notice.
FLAWS = {
    "no overlap": (
        "since - OVERLAP", "since + OVERLAP", "test_changes_of_one_second_and_of_the_very_moment",
    ),
    "a page is lost": ("if not answer[\"next\"]:", "if True:", "test_a_full_pull_brings_every"),
    "a pull begins anew": (
        'asked = Request("GET", *self._read_resume(resume, asked))', "return",
        "test_a_pull_resumes_after_the_page_it_saved",
    ),
    "our key is not kept": (
        '{**record, "external_id": key}', "record", "test_long_afterwards_the_record_is_still",
    ),
    "a create is repeated blindly": (
        "headers=headers, idempotent=True", "idempotent=True",
        "test_a_create_whose_answer_was_lost_makes_one_record",
    ),
    "a signature is not compared": (
        "if not hmac.compare_digest(", "if False and hmac.compare_digest(",
        "test_a_forged_webhook_is_refused",
    ),
    "any webhook is taken without a secret": (
        "if not self._hook_secret:", "if False:", "test_without_a_secret_no_webhook_is_taken",
    ),
    "update is declared and missing": (
        "def update(", "def updated(", "test_declares_exactly_what_it_implements",
    ),
    "deletions are left out": (
        '"include_deleted": True', '"include_deleted": False', "test_what_was_deleted_is_told",
    ),
    "the count is wrong": (
        'int(self._rest.send(asked)["total"])', '1 + int(self._rest.send(asked)["total"])',
        "test_the_second_look_agrees_with_the_provider",
    ),
    "a missing record is an error": (
        "except NotFound:\n            return None", "except NotFound:\n            raise",
        "test_a_record_that_is_not_there_is_none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("flaw", FLAWS)
def test_the_suite_notices_a_connector_that_breaks_a_promise(acme: Path, flaw: str) -> None:
    good, bad, test = FLAWS[flaw]
    file = acme / "tieout_acme" / "connector.py"
    text = file.read_text()
    assert good in text
    file.write_text(text.replace(good, bad))
    assert test in suite(acme, code=1)
