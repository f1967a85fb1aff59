"""What a flow means for reconciliation. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tieout.config import Config
from tieout.reconcile.rules import FlowRule, usual

from .flows import FlowSpec


def rules_of(config: Config, flows: Sequence[FlowSpec]) -> list[FlowRule]:
    """One rule a flow, in the order of the flows."""
    return [_rule(config, flow) for flow in flows]


def _rule(config: Config, flow: FlowSpec) -> FlowRule:
    compared = {
        name: usual(
            flow.entity,
            name,
            tolerance_minor=said.tolerance_minor if said else 0,
            tolerance_days=said.tolerance_days if said else 0,
            ignore_case=bool(said and said.ignore_case),
            same=said.same if said else (),
        )
        for name in flow.fields
        for said in (flow.flow.compare.get(name),)
    }
    where = dict(flow.flow.where)
    shared = {name: values for name, values in where.items() if not name.startswith("custom.")}
    return FlowRule(
        name=flow.name,
        entity=flow.entity,
        left=flow.left,
        right=flow.right,
        left_where=where,
        right_where=shared,  # a custom field is one system's own
        real=flow.profile.statuses,
        fields=compared,
        amount=flow.profile.amount,
        dated=flow.profile.dated,
        settle_minutes=config.reconcile.settle_minutes,
        left_zone=config.systems[flow.left].base.timezone,
        right_zone=config.systems[flow.right].base.timezone,
    )
