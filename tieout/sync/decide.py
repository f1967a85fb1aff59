"""What to do with one record in one system. Pure: no clock, no I/O, no provider.

The caller has read all four inputs; whoever is handed the Decision stores and shows it
(plan.py), carries it out (apply.py) or files it for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

Fields = Mapping[str, Any]  # an absent field is unknown; None is a known "empty"


class _Unlinked:
    """A reference whose other end this system doesn't have yet."""

    def __repr__(self) -> str:
        return "not linked"


UNLINKED: Final = _Unlinked()
_NEVER: Final = object()  # equals no value: at a first meeting, both sides "changed"


class Action(Enum):
    """What becomes of one record in one system."""

    CREATE = "create"
    UPDATE = "update"
    ARCHIVE = "archive"
    SKIP = "skip"
    CONFLICT = "conflict"  # a person must choose; nothing of the record is written
    WAIT = "wait"  # for another record to be linked first


@dataclass(frozen=True)
class Policy:
    """What may be written to one system.

    sends         the fields that the system doesn't own and that are kept in agreement.
    flag_clashes  both changed since they last agreed: ask a person, or let the owner win.
    document      an issued document: created once, never edited, never archived.
    creates       records may be created there at all.
    overwrites    a person asked for it: the golden values win, also at a first meeting.
    """

    sends: frozenset[str]
    flag_clashes: bool = True
    document: bool = False
    creates: bool = True
    overwrites: bool = False


@dataclass(frozen=True)
class Decision:
    """The answer, with its reason in words for people."""

    action: Action
    reason: str
    write: Fields = field(default_factory=dict)  # what to send
    contested: Fields = field(default_factory=dict)  # name -> (golden, actual)
    agreed: Fields = field(default_factory=dict)  # what both sides hold alike now


def decide(
    golden: Fields | None, base: Fields | None, actual: Fields | None, policy: Policy
) -> Decision:
    """`golden` is what should be, `base` what was last agreed, `actual` what is there."""
    if golden is None:
        return _gone(actual, policy)
    wanted = {name: value for name, value in golden.items() if name in policy.sends}
    if actual is None:
        return _absent(wanted, base, golden, policy)
    if policy.document:
        same = {name: want for name, want in wanted.items() if actual.get(name) == want}
        return Decision(Action.SKIP, "issued documents are compared, not edited", agreed=same)
    if waiting := _unlinked(wanted):
        return Decision(Action.WAIT, "not linked yet: " + ", ".join(waiting))
    return _differences(wanted, base, actual, policy)


def _gone(actual: Fields | None, policy: Policy) -> Decision:
    if actual is None:
        return Decision(Action.SKIP, "gone on both sides")
    if policy.document:
        return Decision(Action.SKIP, "deleted by its owner; issued documents are never archived")
    return Decision(Action.ARCHIVE, "archived by its owner")


def _absent(wanted: Fields, base: Fields | None, golden: Fields, policy: Policy) -> Decision:
    if base is not None:
        return Decision(Action.CONFLICT, "removed there since it was last agreed")
    if not policy.creates:
        return Decision(Action.SKIP, "not there, and this flow does not create it")
    if waiting := _unlinked(golden):
        return Decision(Action.WAIT, "not linked yet: " + ", ".join(waiting))
    return Decision(Action.CREATE, "not there yet", write=dict(golden))


def _unlinked(fields: Fields) -> list[str]:
    return sorted(name for name, value in fields.items() if value is UNLINKED)


def _differences(wanted: Fields, base: Fields | None, actual: Fields, policy: Policy) -> Decision:
    write: dict[str, Any] = {}
    contested: dict[str, Any] = {}
    agreed: dict[str, Any] = {}
    for name, want in wanted.items():
        have = actual.get(name)
        was = _NEVER if base is None else base.get(name, _NEVER)
        if want == have:
            agreed[name] = want
        elif policy.overwrites:
            write[name] = want
        elif was is _NEVER and want is None:
            continue  # the owner holds nothing and never did: no reason to empty the other side
        elif was is _NEVER and have is None:
            write[name] = want  # nothing was there before us, so nothing is overwritten
        elif (was is _NEVER or policy.flag_clashes) and want != was and have != was:
            contested[name] = (want, have)
        else:
            write[name] = want
    if contested:
        names = ", ".join(sorted(contested))
        met = base is not None and any(name in base for name in contested)
        how = "both changed" if met else "differ at the first meeting:"
        return Decision(Action.CONFLICT, f"{how} {names}", contested=contested, agreed=agreed)
    if write:
        changed = ", ".join(sorted(write))
        return Decision(Action.UPDATE, f"changed {changed}", write=write, agreed=agreed)
    return Decision(Action.SKIP, "already in agreement", agreed=agreed)
