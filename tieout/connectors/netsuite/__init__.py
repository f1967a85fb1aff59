"""NetSuite: SuiteQL to read, the REST record API to write."""

from .connector import NetSuite
from .settings import NetSuiteConfig

__all__ = ["NetSuite", "NetSuiteConfig"]
