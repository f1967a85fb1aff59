"""The kinds of objects: where they are listed, and by what lists filter and sort.

A `filters` word is `name:type`, type `s` text, `e` enumeration (its words behind it where they are
few), `n` number, `t` timestamp, `b` boolean; `!`: the list cannot do without it. Nested filters
(`relationship[parent_id]`) are written with a dot. https://apidocs.chargebee.com/docs/api/list-ops
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from .unused import OTHER_KINDS

_INVOICE_STATUS = "paid/posted/payment_due/not_paid/voided/pending"
_TXN_STATUS = "in_progress/success/voided/failure/timeout/needs_attention/late_failure"
_SUB_STATUS = "future/in_trial/active/non_renewing/paused/cancelled/transferred"
_LIFE = "active/archived/deleted"


@dataclass(frozen=True)
class Filter:
    """One attribute that a list filters by."""

    name: str
    type: str
    words: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of object. `catalog` 1 or 2: only sites with that product catalog have it."""

    name: str
    path: str
    filters_text: str = ""
    sorts: tuple[str, ...] = ()
    include_deleted: bool = False
    catalog: int = 0
    created: str = "created_at"
    flags: tuple[str, ...] = ()  # plain parameters of the list
    retrieve: bool = True
    listed: bool = True
    indexed: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def filters(self) -> dict[str, Filter]:
        found: dict[str, Filter] = {}
        for word in self.filters_text.split():
            name, _, type_ = word.partition(":")
            type_, _, words = type_.partition("=")
            required, name = name.endswith("!"), name.rstrip("!")
            found[name] = Filter(name, type_, tuple(words.split("/")) if words else (), required)
        return found

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The attributes that a row remembers beside its JSON."""
        own = {*self.filters, *self.sorts, *self.indexed, *self.flags, "deleted"}
        return tuple(sorted(own - {"created"}))


_INDEXED = frozenset({
    "customer_id", "subscription_id", "reference_invoice_id", "invoice_id", "transaction_id",
    "item_id", "item_family_id", "item_price_id", "email", "reference_number", "id_at_gateway",
    "entity_id", "plan_id", "event_type", "parent_item_id",
})  # fmt: skip
_TIMES = ("created_at", "updated_at")


def _kind(name: str, path: str, filters: str = "", **more: object) -> Kind:
    names = {word.partition(":")[0].rstrip("!") for word in filters.split()}
    indexed = frozenset(names & _INDEXED)
    return Kind(name, path, filters, indexed=indexed, **more)  # type: ignore[arg-type]


def _unused(line: str) -> Kind:
    name, path, filters = line.split(maxsplit=2)
    flags = ("include_drafts", "embed") if name == "entitlement" else ()
    return _kind(name, path, filters, sorts=_TIMES, include_deleted=True, flags=flags)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(
            "customer",
            "customers",
            "relationship.parent_id:s relationship.payment_owner_id:s "
            "relationship.invoice_owner_id:s id:s first_name:s last_name:s email:s company:s "
            "phone:s auto_collection:e=on/off taxability:e=taxable/exempt/zero_rated "
            "created_at:t updated_at:t offline_payment_method:e auto_close_invoices:b channel:e "
            "business_entity_id:s",
            sorts=_TIMES,
            include_deleted=True,
        ),
        _kind(
            "subscription",
            "subscriptions",
            "id:s customer_id:s plan_id:s item_id:s item_price_id:s "
            f"status:e={_SUB_STATUS} cancel_reason:e cancel_reason_code:s "
            "remaining_billing_cycles:n created_at:t activated_at:t next_billing_at:t "
            "cancelled_at:t has_scheduled_changes:b updated_at:t offline_payment_method:e "
            "auto_close_invoices:b override_relationship:b business_entity_id:s channel:e "
            "decommissioned:b",
            sorts=_TIMES,
            include_deleted=True,
        ),
        _kind(
            "invoice",
            "invoices",
            "einvoice.status:e id:s subscription_id:s customer_id:s recurring:b "
            f"status:e={_INVOICE_STATUS} price_type:e=tax_exclusive/tax_inclusive date:t "
            "paid_at:t total:n amount_paid:n amount_adjusted:n credits_applied:n amount_due:n "
            "dunning_status:e=in_progress/exhausted/stopped/success payment_owner:s updated_at:t "
            "channel:e voided_at:t void_reason_code:s",
            sorts=("date", "updated_at"),
            include_deleted=True,
            created="date",
            flags=("paid_on_after",),
        ),
        _kind(
            "credit_note",
            "credit_notes",
            "einvoice.status:e id:s customer_id:s subscription_id:s reference_invoice_id:s "
            "type:e=adjustment/refundable/store reason_code:e create_reason_code:s "
            "status:e=adjusted/refunded/refund_due/voided date:t total:n "
            "price_type:e=tax_exclusive/tax_inclusive amount_allocated:n amount_refunded:n "
            "amount_available:n voided_at:t updated_at:t channel:e",
            sorts=("date",),
            include_deleted=True,
            created="date",
        ),
        _kind(
            "transaction",
            "transactions",
            "id:s customer_id:s subscription_id:s payment_source_id:s payment_method:e gateway:e "
            "gateway_account_id:s id_at_gateway:s reference_number:s "
            "type:e=authorization/payment/refund/payment_reversal date:t amount:n "
            f"amount_capturable:n status:e={_TXN_STATUS} updated_at:t",
            sorts=("date", "updated_at"),
            include_deleted=True,
            created="date",
        ),
        _kind(
            "order",
            "orders",
            "id:s invoice_id:s subscription_id:s status:e shipping_date:t shipped_at:t "
            "order_type:e order_date:t paid_on:t updated_at:t created_at:t resent_status:e "
            "is_resent:b original_order_id:s",
            sorts=_TIMES,
            include_deleted=True,
            flags=("exclude_deleted_credit_notes",),
        ),
        _kind(
            "quote",
            "quotes",
            "id:s customer_id:s subscription_id:s status:e date:t updated_at:t",
            sorts=("date",),
            include_deleted=True,
            created="date",
        ),
        _kind(
            "item_family",
            "item_families",
            "id:s name:s updated_at:t business_entity_id:s include_site_level_resources:b",
            catalog=2,
        ),
        _kind(
            "item",
            "items",
            "bundle_configuration.type:e id:s item_family_id:s type:e=plan/addon/charge name:s "
            f"item_applicability:e=all/restricted status:e={_LIFE} is_giftable:b updated_at:t "
            "enabled_for_checkout:b enabled_in_portal:b metered:b usage_calculation:e channel:e "
            "business_entity_id:s include_site_level_resources:b",
            sorts=("name", "id", "updated_at"),
            catalog=2,
        ),
        _kind(
            "item_price",
            "item_prices",
            "id:s name:s pricing_model:e=flat_fee/per_unit/tiered/volume/stairstep item_id:s "
            "item_family_id:s item_type:e=plan/addon/charge currency_code:s price_variant_id:s "
            f"trial_period:n trial_period_unit:e status:e={_LIFE} updated_at:t "
            "business_entity_id:s include_site_level_resources:b "
            "period_unit:e=day/week/month/year period:n channel:e",
            sorts=("name", "id", "updated_at"),
            catalog=2,
        ),
        _kind(
            "plan",
            "plans",
            "id:s name:s price:n period:n period_unit:e trial_period:n trial_period_unit:e "
            "addon_applicability:e giftable:b charge_model:e pricing_model:e "
            f"status:e={_LIFE} updated_at:t currency_code:s channel:e",
            include_deleted=True,
            catalog=1,
        ),
        _kind(
            "addon",
            "addons",
            "id:s name:s pricing_model:e type:e charge_type:e price:n period:n period_unit:e "
            f"status:e={_LIFE} updated_at:t currency_code:s channel:e",
            include_deleted=True,
            catalog=1,
        ),
        _kind(
            "coupon",
            "coupons",
            "id:s name:s discount_type:e duration_type:e "
            "status:e=active/expired/archived/deleted/future apply_on:e created_at:t "
            "updated_at:t currency_code:s applicable_item_price_ids:s",
            sorts=("created_at",),
        ),
        _kind(
            "attached_item",
            "attached_items",
            "parent_item_id:s id:s item_id:s type:e item_type:e charge_on_event:e updated_at:t",
            catalog=2,
            listed=False,
        ),
        _kind(
            "differential_price",
            "differential_prices",
            "item_price_id:s item_id:s id:s parent_item_id:s",
            catalog=2,
        ),
        _kind(
            "price_variant",
            "price_variants",
            "id:s name:s status:e updated_at:t created_at:t business_entity_id:s "
            "include_site_level_resources:b",
            sorts=("name", "id", "status", *_TIMES),
            catalog=2,
        ),
        _kind(
            "promotional_credit",
            "promotional_credits",
            "id:s created_at:t type:e=increment/decrement customer_id:s",
        ),
        _kind(
            "unbilled_charge",
            "unbilled_charges",
            "subscription_id:s customer_id:s",
            include_deleted=True,
            flags=("is_voided",),
            retrieve=False,
        ),
        _kind(
            "usage",
            "usages",
            "id:s subscription_id:s usage_date:t updated_at:t item_price_id:s invoice_id:s "
            "source:e",
            sorts=("usage_date", "updated_at"),
            retrieve=False,
        ),
        _kind(
            "dispute",
            "disputes",
            "id:s status:e=initiated/funds_withdrawn/in_review/cancelled/lost/won "
            "type:e=chargeback/inquiry customer_id:s transaction_id:s amount:n created_at:t",
        ),
        _kind(
            "payment_source",
            "payment_sources",
            "customer_id:s type:e status:e updated_at:t created_at:t",
            sorts=_TIMES,
            include_deleted=True,
            flags=("subscription_id",),
        ),
        _kind(
            "virtual_bank_account",
            "virtual_bank_accounts",
            "customer_id:s updated_at:t created_at:t",
        ),
        _kind("hosted_page", "hosted_pages", "id:s type:e state:e updated_at:t"),
        _kind(
            "comment",
            "comments",
            "created_at:t",
            sorts=("created_at",),
            flags=("entity_type", "entity_id"),
        ),
        _kind("gift", "gifts", "status:e gift_receiver.email:s gifter.customer_id:s"),
        _kind(
            "ramp",
            "ramps",
            "subscription_id!:s status:e effective_from:t updated_at:t",
            sorts=("effective_from", *_TIMES),
            include_deleted=True,
        ),
        _kind("contract_term", "contract_terms", "subscription_id:s", listed=False, retrieve=False),
        _kind(
            "site_migration_detail",
            "site_migration_details",
            "entity_id_at_other_site:s other_site_name:s entity_id:s entity_type:e status:e",
            created="migrated_at",
            retrieve=False,
        ),
        _kind(
            "event",
            "events",
            "id:s webhook_status:e event_type:e source:e occurred_at:t",
            sorts=("occurred_at",),
            created="occurred_at",
            flags=("start_time", "end_time"),
        ),
        _kind("export", "exports", listed=False),
        _kind("webhook_endpoint", "webhook_endpoints"),
        _kind("time_machine", "time_machines", created="genesis_time", listed=False),
        _kind("estimate", "estimates", listed=False, retrieve=False),
        _kind("resource_migration", "resource_migrations", listed=False, retrieve=False),
        _kind("card", "cards", "customer_id:s", listed=False, retrieve=False),
        _kind("contact", "contacts", "customer_id:s", listed=False, retrieve=False),
        *(_unused(line) for line in OTHER_KINDS.strip().splitlines()),
    )
}
