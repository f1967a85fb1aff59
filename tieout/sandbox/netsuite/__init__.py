"""A stand-in of NetSuite: OAuth 2.0 and TBA, the REST record API, and SuiteQL.

Written from Oracle's documentation (SuiteTalk REST Web Services):
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_1540391670.html
"""

from __future__ import annotations

from .standin import NetSuiteStandIn

__all__ = ["NetSuiteStandIn"]
