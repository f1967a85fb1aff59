"""Stripe: REST, JSON, form-encoded writes, signed webhooks. https://docs.stripe.com/api"""

from .connector import Stripe, StripeConfig

__all__ = ["Stripe", "StripeConfig"]
