"""A stand-in of Salesforce: OAuth, the REST API with SOQL, Bulk API 2.0, Outbound Messages.

Written from Salesforce's documentation:
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/
"""

from __future__ import annotations

from .standin import SalesforceStandIn

__all__ = ["SalesforceStandIn"]
