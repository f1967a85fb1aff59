"""Provider records to canonical ones and back, by YAML rules: see docs/mappings.md."""

from .codec import Codec, Partly, register
from .forms import Context, finishes, prepares
from .mapper import Mapper
from .mapping import Mapping, load_mapping

__all__ = [
    "Codec",
    "Context",
    "Mapper",
    "Mapping",
    "Partly",
    "finishes",
    "load_mapping",
    "prepares",
    "register",
]
