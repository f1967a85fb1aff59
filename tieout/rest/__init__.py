"""The REST toolkit that every connector stands on: requests, auth, paging, pace, retries."""

from .auth import Auth, ClientCredentials, HeldToken, TokenBased, api_key, basic, bearer
from .client import RestClient
from .pace import Learned, Pace, Pool
from .paging import (
    Paging,
    cursor_pages,
    dig,
    link_pages,
    next_url_pages,
    offset_pages,
    query_more_pages,
)
from .redact import RedactingFilter, Redactor, mask
from .request import Request, segment
from .verdicts import Again, Refusal, Verdict

__all__ = [
    "Again",
    "Auth",
    "ClientCredentials",
    "HeldToken",
    "Learned",
    "Pace",
    "Paging",
    "Pool",
    "RedactingFilter",
    "Redactor",
    "Refusal",
    "Request",
    "RestClient",
    "TokenBased",
    "Verdict",
    "api_key",
    "basic",
    "bearer",
    "cursor_pages",
    "dig",
    "link_pages",
    "mask",
    "next_url_pages",
    "offset_pages",
    "query_more_pages",
    "segment",
]
