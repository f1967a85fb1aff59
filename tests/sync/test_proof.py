"""The verdict on a pull window, as a table of looks."""

from __future__ import annotations

import pytest

from tieout.connectors.base import Method
from tieout.sync.proof import CONTRADICTED, PROVEN, SUPPORTED, UNPROVEN, Look, weakest, weigh

COUNT_AGREES = Look(Method.COUNT, says=5, here=5)
COUNT_LACKS = Look(Method.COUNT, says=6, here=5)
COUNT_EXCEEDS = Look(Method.COUNT, says=4, here=5)
ALL_IDS = Look(Method.IDS, says=5, whole=True)
SOME_IDS = Look(Method.IDS, says=5)
IDS_MENDED = Look(Method.IDS, says=5, fetched=1, whole=True)
IDS_LACK = Look(Method.IDS, says=5, missing=2, whole=True)
FEED = Look(Method.FEED, says=3)
FEED_LACKS = Look(Method.FEED, says=3, missing=1)
SWEEP = Look(Method.SWEEP, says=0)
OVERLAP = Look(Method.OVERLAP, seconds=600)


@pytest.mark.parametrize(
    ("looks", "failure", "verdict"),
    [
        ([], "", UNPROVEN),
        ([], "it is down", UNPROVEN),
        ([COUNT_AGREES], "", PROVEN),
        ([COUNT_AGREES, OVERLAP], "", PROVEN),
        ([COUNT_LACKS], "", CONTRADICTED),
        ([COUNT_EXCEEDS], "", CONTRADICTED),
        ([ALL_IDS], "", PROVEN),
        ([IDS_MENDED], "", PROVEN),
        ([SOME_IDS], "", SUPPORTED),
        ([IDS_LACK], "", CONTRADICTED),
        ([ALL_IDS, COUNT_LACKS], "", PROVEN),  # the list of ids names each one; the count is older
        ([COUNT_AGREES, FEED_LACKS], "", CONTRADICTED),
        ([FEED], "", SUPPORTED),
        ([FEED, SWEEP, OVERLAP], "", SUPPORTED),
        ([FEED_LACKS], "", CONTRADICTED),
        ([OVERLAP], "", SUPPORTED),
        ([OVERLAP], "it is down", UNPROVEN),
        ([COUNT_AGREES], "it is down", PROVEN),  # what was told already stands
        ([COUNT_LACKS], "it is down", CONTRADICTED),
    ],
)
def test_verdicts(looks: list[Look], failure: str, verdict: str) -> None:
    assert weigh(looks, failure=failure).verdict == verdict


def test_the_sentence_says_what_was_looked_at_and_what_came_of_it() -> None:
    counted = Look(Method.COUNT, "SELECT COUNT() of Account", says=1204, here=1203)
    listed = Look(Method.IDS, says=1204, fetched=1, whole=True)
    assert weigh([counted, listed]).told == (
        "SELECT COUNT() of Account: 1,204 there, 1,203 here; "
        "list of ids: 1,204 looked for, 1 were missing and fetched"
    )


def test_several_windows_are_as_sure_as_the_weakest() -> None:
    assert weakest([PROVEN, SUPPORTED]) == SUPPORTED
    assert weakest([PROVEN, UNPROVEN, CONTRADICTED]) == CONTRADICTED
    assert weakest([]) == UNPROVEN
