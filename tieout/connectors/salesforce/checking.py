"""Who we are there, and what is missing for the flows to work."""

from __future__ import annotations

from collections.abc import Iterator

from tieout.core.errors import ConfigError, InvalidRecord

from ..base import Account, Can
from . import soql
from .ids import long_id
from .kinds import BILLING, Kind, Part, here
from .org import Org

_SOON = 0.72  # of the day; where nothing else is configured, tieout stops at 0.8


class Checking:
    """`currency` is config.yaml's for this system; "" where it names none, None if unknown."""

    def __init__(self, org: Org, currency: str | None) -> None:
        self.org, self.currency = org, currency

    def account(self) -> Account:
        row = self._organization()
        id = long_id(str(row.get("Id") or self.org.id))
        sandbox = row.get("IsSandbox")
        live = None if sandbox is None else not sandbox
        return Account(str(row.get("Name") or id), id, live, tuple(self._problems()))

    def _organization(self) -> dict[str, object]:
        """ConfigError where the org is not the configured one; some logins don't tell it."""
        text = soql.select(["Id", "Name", "IsSandbox"], "Organization")
        try:
            found = next(self.org.library.rows(text), None) or {}
        except (ConfigError, InvalidRecord):
            return {}
        wanted, told = self.org.settings.organization_id, long_id(str(found.get("Id") or ""))
        if wanted and told and told != wanted:
            raise ConfigError(
                f"this login belongs to the org {told}, not to {wanted}",
                where=self.org.where,
                hint="set organization_id and base_url of one and the same org",
            )
        return found

    def _problems(self) -> Iterator[str]:
        yield from self._currency()
        for kind in here(self.org.settings):
            for part in kind.parts:
                yield from self._part(kind, part)
        yield from self._budget()

    def _currency(self) -> Iterator[str]:
        """Records of a single-currency org do not say in which currency they are."""
        if self.currency != "":
            return
        try:
            held = self.org.schema.object("Opportunity").fields
        except ConfigError:
            return
        if "CurrencyIsoCode" not in held:
            yield (
                "the org has a single currency, which its records do not name: set `currency:` of "
                "this system in config.yaml (Setup > Company Information tells it)"
            )

    def _part(self, kind: Kind, part: Part) -> Iterator[str]:
        try:
            held = self.org.schema.object(part.object)
        except ConfigError as error:
            yield f"{kind.entity}: {error.message}; {error.hint}"
            return
        asked = (*part.needed, *self._asked_for(kind))
        for name in dict.fromkeys(asked):
            if self.org.schema.field(held, name) is None:
                yield f"{kind.entity}: {part.object} shows no field {name}: give Read on it"
        if Can.CREATE in kind.can:
            yield from self._writable(kind, part)

    def _asked_for(self, kind: Kind) -> tuple[str, ...]:
        settings = self.org.settings
        extra: tuple[str, ...] = settings.fields.get(kind.entity, ())  # type: ignore[call-overload]
        if kind.entity in BILLING:
            extra += settings.objects[kind.entity].fields  # type: ignore[index]
        return extra if len(kind.parts) == 1 else ()

    def _writable(self, kind: Kind, part: Part) -> Iterator[str]:
        held = self.org.schema.object(part.object)
        key = held.fields.get(part.key)
        named = f"{kind.entity}: {part.object}"
        if key is None:
            yield (
                f"{named} has no field {part.key} (Text 255, External ID, Unique), or it is hidden "
                "from us: nothing can be created there until it has"
            )
        elif not key.external_id or not key.unique:
            lacks = "External ID" if not key.external_id else "Unique"
            yield f"{named}.{part.key} is not marked {lacks}: two records could get one key"
        if not held.creatable or not held.updatable:
            return  # read only, as many installations want it
        for name in part.written:
            field = held.fields.get(name)
            if field and not field.creatable:
                yield f"{named}.{name} is read-only for us: give Edit on it where a flow writes it"

    def _budget(self) -> Iterator[str]:
        try:
            told = self.org.library.limits().get("DailyApiRequests") or {}
        except (ConfigError, InvalidRecord):  # a matter of permission; every answer tells it, too
            return
        most, left = told.get("Max"), told.get("Remaining")
        if not isinstance(most, int) or not isinstance(left, int) or most <= 0:
            return
        share = self.org.settings.daily_share_percent / 100
        if most - left >= most * share * _SOON:
            yield (
                f"the org's API calls are nearly used up: {most - left} of {most} in the last 24 "
                "hours, of which tieout leaves a part to others (reserve_percent)"
            )
