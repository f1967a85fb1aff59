"""A believable company: two years of Stripe, NetSuite beside it, and known mistakes in it."""

from __future__ import annotations

from .build import Company, build_company
from .day import changes
from .planted import Planted

__all__ = ["Company", "Planted", "build_company", "changes"]
