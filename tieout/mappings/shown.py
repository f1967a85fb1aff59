"""Values as they may be shown in a message: short, and with nothing secret in them."""

from __future__ import annotations

import re
from typing import Any

LONGEST = 60
_SECRET = re.compile(r"\b(?:sk|rk|pk|whsec|ek)_[A-Za-z0-9_]+|\b\w+_secret_\w+|\b[0-9]{13,19}\b")


def shown(value: Any) -> str:
    """A value for a person to recognise; long ones are cut, keys and card numbers masked."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = _SECRET.sub("***", repr(value) if isinstance(value, str) else str(value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
