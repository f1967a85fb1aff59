"""Fixtures: a fresh world of two providers for each test, one launcher for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from two_stripes import CANARIES, CONFIG, Launcher, World, plain_env, side


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    made = Launcher()
    yield made
    made.stop()


@pytest.fixture
def world(tmp_path: Path, launcher: Launcher) -> Iterator[World]:
    folder, outside = tmp_path / "books", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    with ExitStack() as stack:
        left = side(stack, 11, CANARIES["LEFT_KEY"], CANARIES["LEFT_HOOK"])
        right = side(stack, 22, CANARIES["RIGHT_KEY"], CANARIES["RIGHT_HOOK"])
        env = {**plain_env(), **CANARIES}
        made = World(folder, left, right, env, launcher, outside)
        made.config.write_text(CONFIG.format(left=left.url, right=right.url))
        yield made
        assert made.leaks() == []
