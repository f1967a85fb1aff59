"""Chargebee Billing: REST, JSON answers, form-encoded writes. https://apidocs.chargebee.com/docs/api"""

from .connector import Chargebee
from .settings import ChargebeeConfig

__all__ = ["Chargebee", "ChargebeeConfig"]
