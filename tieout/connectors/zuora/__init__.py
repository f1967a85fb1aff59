"""Zuora Billing: Object Query and Data Query to read, v1 REST to write."""

from .connector import Zuora
from .settings import ZuoraConfig

__all__ = ["Zuora", "ZuoraConfig"]
