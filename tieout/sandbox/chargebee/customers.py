"""Customers, their contacts, addresses, relations and balances.

https://apidocs.chargebee.com/docs/api/customers
"""

from __future__ import annotations

from typing import Any

from .errors import blank, invalid_request, not_found, payment_failed, wrong_state, wrong_value
from .params import group
from .routes import Answered, Call, Route, post, shown, take
from .shelf import Object
from .site import Site

_OWN = (
    "first_name last_name email phone company auto_collection net_term_days allow_direct_debit "
    "vat_number vat_number_prefix entity_identifier_scheme entity_identifier_standard "
    "registered_for_gst is_einvoice_enabled einvoicing_method taxability exemption_details "
    "customer_type client_profile_id taxjar_exemption_category locale entity_code exempt_number "
    "business_customer_without_vat_number meta_data offline_payment_method auto_close_invoices "
    "consolidated_invoicing business_entity_id created_from_ip invoice_notes fraud_flag "
    "preferred_currency_code"
)
_BALANCES = ("promotional_credits", "excess_payments", "refundable_credits", "unbilled_charges")
_BILLING = (
    "vat_number vat_number_prefix entity_identifier_scheme entity_identifier_standard "
    "registered_for_gst business_customer_without_vat_number is_einvoice_enabled "
    "einvoicing_method"
)
# https://www.chargebee.com/docs/2.0/chargebee-test-gateway.html
_REFUSED_CARDS = frozenset({"4119862760338320", "4005519200000004"})


def new_customer(site: Site, sent: Object) -> Object:
    """A customer from checked parameters, saved; tells `customer_created`."""
    now = site.now()
    customer: Object = {
        "id": site.fresh_id("customer", sent.get("id")),
        "auto_collection": "on",
        "net_term_days": 0,
        "allow_direct_debit": False,
        "created_at": now,
        "taxability": "taxable",
        "channel": "web",
        "pii_cleared": "active",
        "deleted": False,
        "card_status": "no_card",
        **dict.fromkeys(_BALANCES, 0),
        "preferred_currency_code": site.settings.currency,
    }
    take(customer, Call(site, [], sent), _OWN)
    if sent.get("billing_address"):
        customer["billing_address"] = address(sent["billing_address"], "billing_address")
    if sent.get("card"):
        _add_card(site, customer, sent["card"])
    site.save("customer", customer)
    site.tell("customer_created", **shown(site, "customer", customer))
    return customer


def address(sent: Object, name: str) -> Object:
    """An address as it is shown."""
    kept = {field: value for field, value in sent.items() if value is not None}
    return {"validation_status": "not_validated", **kept, "object": name}


def _create(call: Call) -> Answered:
    return shown(call.site, "customer", new_customer(call.site, call.params))


def _changed(site: Site, customer: Object) -> Answered:
    site.save("customer", customer)
    site.tell("customer_changed", **shown(site, "customer", customer))
    return shown(site, "customer", customer)


def _update(call: Call) -> Answered:
    customer = call.site.need("customer", call.id)
    take(customer, call, _OWN)
    return _changed(call.site, customer)


def _update_billing_info(call: Call) -> Answered:
    customer = call.site.need("customer", call.id)
    if "billing_address" in call.params:
        customer["billing_address"] = address(call.params["billing_address"], "billing_address")
    take(customer, call, _BILLING)
    return _changed(call.site, customer)


def _delete(call: Call) -> Answered:
    site = call.site
    customer = site.need("customer", call.id)
    for row in site.shelf("subscription").find("customer_id", call.id):
        if row.fields.get("status") != "cancelled" and not row.fields.get("deleted"):
            raise wrong_state(f"Customer {call.id} has subscriptions that are not cancelled.")
    customer["deleted"] = True
    site.save("customer", customer)
    site.tell("customer_deleted", **shown(site, "customer", customer))
    return shown(site, "customer", customer)


def _relate(call: Call) -> Answered:
    customer = call.site.need("customer", call.id)
    relation: Object = dict(customer.get("relationship") or {})
    for name in ("parent_id", "payment_owner_id", "invoice_owner_id"):
        if call.get(name):
            call.site.need("customer", call.get(name), param=name)
            relation[name] = call.get(name)
    if not relation:
        raise blank("parent_id")
    if call.id in (relation.get("parent_id"),):
        raise invalid_request("A customer cannot be its own parent.", param="parent_id")
    customer["relationship"] = relation
    return _changed(call.site, customer)


def _unrelate(call: Call) -> Answered:
    customer = call.site.need("customer", call.id)
    customer.pop("relationship", None)
    return _changed(call.site, customer)


# Contacts


def _contacts(call: Call) -> Answered:
    customer = call.site.need("customer", call.id)
    limit = min(int(call.get("limit", 10)), 100)
    start = int(call.get("offset") or 0)
    found = customer.get("contacts") or []
    answer: Object = {"list": [{"contact": one} for one in found[start : start + limit]]}
    if len(found) > start + limit:
        answer["next_offset"] = str(start + limit)
    return answer


def _add_contact(call: Call) -> Answered:
    site = call.site
    sent = group(call.params, "contact", "email")
    customer = site.need("customer", call.id)
    contacts = customer.setdefault("contacts", [])
    contact = {
        "id": sent.get("id") or site.new_id("contact_"),
        "enabled": False,
        "send_account_email": False,
        "send_billing_email": False,
        **{name: value for name, value in sent.items() if value is not None},
        "object": "contact",
    }
    if any(one["id"] == contact["id"] for one in contacts):
        raise wrong_value("contact[id]", f"The value {contact['id']} is already present.")
    contacts.append(contact)
    return _changed(site, customer)


def _contact(customer: Object, id: str) -> Object:
    for contact in customer.get("contacts") or []:
        if contact["id"] == id:
            found: Object = contact
            return found
    raise not_found(id, param="contact[id]")


def _update_contact(call: Call) -> Answered:
    sent = group(call.params, "contact", "id")
    customer = call.site.need("customer", call.id)
    contact = _contact(customer, sent["id"])
    contact |= sent
    for name in [name for name, value in contact.items() if value is None]:
        del contact[name]
    return _changed(call.site, customer)


def _delete_contact(call: Call) -> Answered:
    sent = group(call.params, "contact", "id")
    customer = call.site.need("customer", call.id)
    gone = _contact(customer, sent["id"])
    customer["contacts"].remove(gone)
    return _changed(call.site, customer)


# Cards


def _add_card(site: Site, customer: Object, sent: Object) -> Object:
    number = str(sent.get("number") or "")
    if not number.isdigit():
        raise wrong_value("card[number]", "invalid card number", error_code="wrong_format")
    source: Object = {
        "id": site.new_id("pm_"),
        "created_at": site.now(),
        "customer_id": customer["id"],
        "deleted": False,
        "gateway": "chargebee",
        "gateway_account_id": "gw_test",
        "reference_id": site.new_id("tok_"),
        "status": "valid",
        "type": "card",
    }
    card = {
        "status": "valid",
        "gateway": "chargebee",
        "gateway_account_id": "gw_test",
        "iin": number[:6],
        "last4": number[-4:],
        "card_type": "visa" if number.startswith("4") else "other",
        "funding_type": "credit",
        "expiry_month": sent.get("expiry_month"),
        "expiry_year": sent.get("expiry_year"),
        "masked_number": "*" * (len(number) - 4) + number[-4:],
        "customer_id": customer["id"],
        "payment_source_id": source["id"],
    }
    site.save("payment_source", source)
    site.save("card", card, key=customer["id"])
    customer |= {"card_status": "valid", "primary_payment_source_id": source["id"]}
    customer["payment_method"] = {
        "object": "payment_method",
        "type": "card",
        "reference_id": source["reference_id"],
        "gateway": "chargebee",
        "gateway_account_id": "gw_test",
        "status": "valid",
    }
    if number in _REFUSED_CARDS:
        # The test gateway takes the card and refuses each payment with it.
        site.refused_cards.add(source["id"])
    return source


def _create_card(call: Call) -> Answered:
    site = call.site
    customer = site.need("customer", call.get("customer_id"), param="customer_id")
    source = _add_card(site, customer, group(call.params, "card", "number"))
    site.save("customer", customer)
    site.tell("payment_source_added", customer=customer, payment_source=source)
    return {"customer": customer, "payment_source": source}


def paying_source(site: Site, customer: Object) -> str:
    """The payment source to charge. Raises ApiError (400) where there is none."""
    source: Any = customer.get("primary_payment_source_id")
    if not source:
        raise payment_failed(
            f"Customer {customer['id']} has no valid payment method.",
            code="payment_method_not_present",
        )
    return str(source)


# Balances


def add_to_balance(site: Site, id: str | None, currency: str, name: str, amount: int) -> None:
    """Change one of a customer's balances, in all and in that currency."""
    customer = site.get("customer", id)
    if customer is None or not amount:
        return
    customer[name] = int(customer.get(name) or 0) + amount
    balances = customer.setdefault("balances", [])
    for balance in balances:
        if balance.get("currency_code") == currency:
            balance[name] = int(balance.get(name) or 0) + amount
            break
    else:
        blank_one = {**dict.fromkeys(_BALANCES, 0), "object": "customer_balance"}
        balances.append({**blank_one, "currency_code": currency, name: amount})
    site.save("customer", customer)


ROUTES = [
    post("customers", _create, "customer.create"),
    post("customers/{}", _update, "customer.update"),
    post("customers/{}/update_billing_info", _update_billing_info, "customer.update_billing_info"),
    post("customers/{}/delete", _delete, "customer.delete"),
    post("customers/{}/relationships", _relate, "customer.relationships"),
    post("customers/{}/delete_relationship", _unrelate),
    Route("GET", "customers/{}/contacts", _contacts, "limit:i offset include_deleted sort_by:x"),
    post("customers/{}/add_contact", _add_contact, "customer.add_contact"),
    post("customers/{}/update_contact", _update_contact, "customer.update_contact"),
    post("customers/{}/delete_contact", _delete_contact, "customer.delete_contact"),
    Route(
        "POST",
        "payment_sources/create_card",
        _create_card,
        "customer_id! replace_primary_payment_source:b card:{@card}",
    ),
]
