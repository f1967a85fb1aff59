"""A stand-in for Zuora Billing: one tenant with its own clock."""

from .standin import ZuoraStandIn

__all__ = ["ZuoraStandIn"]
