"""NetSuite over SOAP against the stand-in, with NetSuite's own WSDL; and beside REST."""

from __future__ import annotations

from pathlib import Path

import pytest

WSDL = (
    Path(__file__).parents[3]
    / "shared" / "providers" / "netsuite" / "wsdl" / "netsuite-wsdl-2023_2.tgz"
)  # fmt: skip
pytestmark = pytest.mark.skipif(not WSDL.exists(), reason="NetSuite's WSDL is not here")
