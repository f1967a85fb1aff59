"""What was made wrong on purpose: one value for each difference, for tests and demos."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """One difference between Stripe (left) and NetSuite (right).

    `kind`: missing (NetSuite lacks it), extra (only NetSuite has it), differs, duplicate
    (`right_id` is the surplus record). `fields`: the canonical fields that differ.
    `effect_minor`: left minus right of the document's total in ISO 4217 minor units of
    `currency`; a void document counts 0. Where NetSuite has another currency, `right_currency`
    names it: there the effect is the opposite.
    """

    kind: str
    entity: str
    left_id: str | None
    right_id: str | None
    fields: tuple[str, ...]
    currency: str
    effect_minor: int
    note: str
    right_currency: str | None = None

    def effects(self) -> dict[str, int]:
        """Left minus right, by currency; empty where no total is touched."""
        if not self.effect_minor:
            return {}
        found = {self.currency: self.effect_minor}
        if self.right_currency is not None:
            found[self.right_currency] = -self.effect_minor
        return found
