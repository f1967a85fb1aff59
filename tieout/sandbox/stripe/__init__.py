"""A stand-in for Stripe's /v1 API, written from its documentation and held against its samples."""

from __future__ import annotations

from .app import StripeStandIn

__all__ = ["StripeStandIn"]
