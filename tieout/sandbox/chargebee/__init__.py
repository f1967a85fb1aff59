"""A stand-in of Chargebee: a stateful site of product catalog 1.0 or 2.0."""

from __future__ import annotations

from .app import ChargebeeStandIn

__all__ = ["ChargebeeStandIn"]
