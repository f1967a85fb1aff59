"""Calls that go wrong, one at a time, and what the outbox does about a write that did."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tieout.core.errors import TryLater, UnknownOutcome
from tieout.core.ports import AnswerLost, HttpAnswer, NotSent

BEFORE = ["refused", "429", "lock", "500 before", "lost before"]
AFTER = ["lost after", "torn", "html", "503 after"]
FAULTS = BEFORE + AFTER


def spoilt(
    fault: str, carry_out: Callable[[], HttpAnswer], said: Mapping[str, HttpAnswer]
) -> HttpAnswer:
    """The answer to a call that `fault` struck, before or after it had its effect.

    `said`: fault -> how the provider words it; what is refused so has had no effect, but for
    "503 after".
    """
    match fault:
        case "refused":
            raise NotSent("refused")
        case "lost before":
            raise AnswerLost("cut")
        case "lost after":
            carry_out()
            raise AnswerLost("cut")
        case "torn":
            whole = carry_out()
            return HttpAnswer(whole.status, whole.headers, whole.body[: len(whole.body) // 2])
        case "html":
            carry_out()
            return HttpAnswer(200, {"content-type": "text/html"}, b"<html>busy</html>")
        case "503 after":
            carry_out()
    return said[fault]


def settled(work: Callable[[bool], bytes | None]) -> bytes:
    """As the outbox does it: what may have happened is looked up before it is sent again."""
    doubtful = False
    for _ in range(8):
        try:
            if made := work(doubtful):
                return made
            doubtful = False
        except UnknownOutcome:
            doubtful = True
        except TryLater:
            continue
    raise AssertionError("never settled")
