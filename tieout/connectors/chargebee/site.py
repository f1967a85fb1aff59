"""What a site has: its Product Catalog, and whether it lists disputes. Asked once, then known."""

from __future__ import annotations

import threading

from tieout.core.errors import ConfigError, NotFound
from tieout.rest import Request, RestClient

from .errors import NotEnabled
from .kinds import API, DISPUTES, FAMILIES, PLANS, REVERSALS, Kind, Source


class Site:
    """`catalog` as configured: "1", "2", or "auto" to ask."""

    def __init__(self, rest: RestClient, catalog: str, *, where: str) -> None:
        self._rest, self._where, self._lock = rest, where, threading.RLock()
        self._catalog = "" if catalog == "auto" else catalog
        self._dispute: Source | None = None
        self.tells_absence = True  # whether a time filter knows `is_present`, as far as we saw

    @property
    def catalog(self) -> str:
        """ "1" or "2". Raises NotEnabled if the site answers to neither."""
        with self._lock:
            if not self._catalog:
                self._catalog = self.asked_catalog()
            return self._catalog

    def asked_catalog(self) -> str:
        """What the site itself says: the other catalog's lists are refused, never empty."""
        for catalog, source in (("2", FAMILIES), ("1", PLANS)):
            if self.answers(source):
                return catalog
        raise NotEnabled(
            "the site offers neither item families (Product Catalog 2.0) nor plans (1.0)",
            where=self._where,
            hint="check site and the key's permissions in Chargebee",
        )

    def answers(self, source: Source) -> bool:
        """Whether the site has this list. Raises AuthError where the key may not read it."""
        asked = Request("GET", API + source.path, (*source.params, ("limit", "1")), attempts=3)
        try:
            self._rest.send(asked)
        except (NotEnabled, NotFound):
            return False
        return True

    def sources(self, kind: Kind) -> tuple[Source, ...]:
        """The lists that an entity is read from on this site."""
        if kind.entity == "dispute":
            return (self._disputes(),)
        return kind.older if kind.older and self.catalog == "1" else kind.sources

    def types(self, types: tuple[str, ...]) -> tuple[str, ...]:
        """Those of some event types that exist with the site's Product Catalog."""
        older = any(type.startswith(("plan_", "addon_")) for type in types)
        if not older:
            return types
        has_plans = self.catalog == "1"
        return tuple(t for t in types if t.startswith(("plan_", "addon_")) is has_plans)

    def needs_items(self, entity: str) -> None:
        """ConfigError where the catalog is the older one, whose plans tieout only reads."""
        if self.catalog == "1":
            raise ConfigError(
                f"a {entity} cannot be written to a site with Product Catalog 1.0",
                where=self._where,
                hint="plans and addons are read only; move the site to Product Catalog 2.0",
            )

    def _disputes(self) -> Source:
        """Sites without `/disputes` tell of chargebacks by the transaction that took the money."""
        with self._lock:
            if self._dispute is None:
                self._dispute = DISPUTES if self.answers(DISPUTES) else REVERSALS
            return self._dispute
