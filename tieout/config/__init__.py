"""config.yaml: what it may say, how it is read and checked, its schema for editors."""

from .loading import load_config
from .models import (
    Compare,
    Config,
    Flow,
    Guard,
    Mail,
    Reconcile,
    Report,
    System,
    SystemBase,
    Top,
)
from .schema import config_schema

__all__ = [
    "Compare",
    "Config",
    "Flow",
    "Guard",
    "Mail",
    "Reconcile",
    "Report",
    "System",
    "SystemBase",
    "Top",
    "config_schema",
    "load_config",
]
