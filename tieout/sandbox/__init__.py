"""Local stand-ins of the providers, written from their documentation.

The sandbox imports nothing else of tieout's, so a misreading of a provider's documentation
would have to be made twice to go unseen. Each provider's official client can talk to it.
"""

from __future__ import annotations

from .clock import SandboxClock
from .faults import Faults
from .server import Running, StandIn, serve

__all__ = ["Faults", "Running", "SandboxClock", "StandIn", "serve"]
