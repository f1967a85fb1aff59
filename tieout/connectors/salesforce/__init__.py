"""Salesforce: SOQL and Bulk API 2.0 to read, upserts by external id to write."""

from .connector import Salesforce
from .settings import SalesforceConfig

__all__ = ["Salesforce", "SalesforceConfig"]
