"""tieout keeps billing systems in agreement, and proves it to the cent."""

__version__ = "0.1.0"
