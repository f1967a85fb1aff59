"""One record that several flows bring to one system, each from a system of its own. Pure.

Two billing accounts may both know a customer of the ledger. Were each of their flows to write its
own name for it, they would undo each other in every run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from .decide import Action, Decision
from .flows import FlowSpec

SETTLED = Decision(Action.SKIP, "an earlier flow sees to it")


def fellows(
    flow: FlowSpec, flows: Sequence[FlowSpec], target: str, holders: Collection[str]
) -> list[FlowSpec]:
    """The other flows that bring this record to `target`, in the order of the config.

    `holders`: the systems that hold it now.
    """
    return [
        each
        for each in flows
        if each is not flow
        and each.entity == flow.entity
        and each.writes
        and target in (each.left, each.right)
        and each.other(target) != flow.other(target)
        and each.other(target) in holders
        and each.sends(target)
    ]


def left_to_first(
    flow: FlowSpec, flows: Sequence[FlowSpec], brought: Sequence[FlowSpec], target: str
) -> frozenset[str]:
    """The fields that an earlier flow sends already: the first in the config has the say, and what
    the others hold instead is told by reconciliation."""
    before = earlier(flow, flows, brought)
    return frozenset(name for each in before for name in each.sends(target))


def earlier(flow: FlowSpec, flows: Sequence[FlowSpec], among: Sequence[FlowSpec]) -> list[FlowSpec]:
    """Those of `among` that stand before this flow in the config."""
    order = {each.name: place for place, each in enumerate(flows)}
    return [each for each in among if order[each.name] < order[flow.name]]


def still_needed(decision: Decision, brought: Sequence[FlowSpec], target: str) -> Decision:
    """An archival, unless another system still holds the record: then a person says."""
    alive = sorted({each.other(target) for each in brought})
    if not alive:
        return decision
    reason = (
        f"{decision.reason}, but it is still in {' and '.join(alive)}: archive it there yourself"
    )
    return replace(decision, action=Action.CONFLICT, reason=reason, write={})
