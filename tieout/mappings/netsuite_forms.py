"""NetSuite's records in the forms that netsuite.yaml reads, whichever interface they came through.

Taken are, each as one JSON object (or SOAP XML, see `read_payload`):

    REST     GET /record/v1/{type}/{id}, sublists inline (`item: {items: []}`) or absent
    SOAP     a record as clients serialise it (internalId, `{name, internalId}`, itemList)
    SuiteQL  one row: lower-case keys, texts, "T"/"F", nulls left out; amounts with the ledger's
             sign; and, in the connector's **unified form**, with what belongs to it:

    {"id": "1234", "type": "CustInvc", "status": "A", "statusname": "Invoice : Open",
     "trandate": "2026-01-31", "lastmodifieddate": "2026-01-31T10:00:00Z",
     "currency": "1", "currencycode": "USD", "foreigntotal": "110", ... ,
     "app": "https://1234567.app.netsuite.com",
     "lines":        [{"id": "1", "mainline": "F", "item": "7", "foreignamount": "-100", ...}],
     "applications": [{"previousdoc": "1234", "previoustype": "CustInvc", "nextdoc": "1301",
                       "nexttype": "CustPymt", "linktype": "Payment", "foreignamount": "60"}],
     "addresses":    [{"defaultbilling": "T", "addr1": "1 Main St", "country": "US", ...}]}

`lines` are rows of transactionline (of a journal joined with the account: `acctnumber`,
`accountname`), `applications` of nexttransactionlinelink, `addresses` of a customer's address
book. Dates in it are `YYYY-MM-DD`, times UTC. A list that is absent was not told, an empty one
is known to be empty.

The forms of one record give one canonical record: what only one of them can tell (who paid an
invoice, in REST) stays null in the others, it is not guessed.
"""

from __future__ import annotations

from . import (
    netsuite_bodies,
    netsuite_cash,
    netsuite_journal,
    netsuite_parties,
    netsuite_sales,
)
from .netsuite_shapes import Raw
from .netsuite_soap import soap_record
from .payload_text import decode_payload, only_one

# Imported so that their forms are registered.
__all__ = [
    "netsuite_bodies",
    "netsuite_cash",
    "netsuite_journal",
    "netsuite_parties",
    "netsuite_sales",
    "read_payload",
]


def read_payload(body: bytes) -> Raw:
    """One record out of a file or an answer: JSON, or SOAP XML. Raises InvalidRecord.

    A list or a REST or SuiteQL collection is accepted where it holds exactly one record.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if text.startswith(b"<"):
        return soap_record(text)
    found = decode_payload(text)
    if isinstance(found, dict) and isinstance(found.get("items"), list):
        found = found["items"]
    return only_one(found)
