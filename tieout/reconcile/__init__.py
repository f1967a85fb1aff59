"""Do two systems agree, and if not, why? Pure: no clock, no store, no provider."""
