"""The conformance suite of connectors, ours and those of other packages: docs/connectors.md."""

from .bench import Bench, Clock
from .contract import ConnectorContract, Webhook

__all__ = ["Bench", "Clock", "ConnectorContract", "Webhook"]
