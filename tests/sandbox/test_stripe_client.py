"""The official client works against the stand-in. Expected figures are computed by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe
from stripe_session import NOW, Stage, stage

DAY = 86_400


@pytest.fixture
def api() -> Iterator[Stage]:
    with stage() as running:
        yield running


def payer(api: Stage, method: str = "pm_card_visa") -> Any:
    """A customer with a card."""
    return api.client.v1.customers.create({"name": "Ada Ltd", "payment_method": method})


def invoice_for(api: Stage, customer: str, amount: int = 10_000, **more: Any) -> Any:
    v1 = api.client.v1
    invoice = v1.invoices.create({"customer": customer, **more})
    v1.invoice_items.create(
        {"customer": customer, "invoice": invoice.id, "amount": amount, "currency": "usd"}
    )
    return v1.invoices.finalize_invoice(invoice.id)


def test_a_customer_is_created_changed_and_deleted(api: Stage) -> None:
    customers = api.client.v1.customers
    made = customers.create(
        {"name": "Ada", "email": "a@example.com", "metadata": {"a": "1", "b": "2"},
         "address": {"country": "DE"}}
    )  # fmt: skip
    changed = customers.update(made.id, {"metadata": {"a": "", "c": "3"}, "name": ""})
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert changed.name is None and changed.email == "a@example.com"
    assert changed.address.country == "DE" and changed.address.city is None
    event = api.client.v1.events.list({"type": "customer.updated"}).data[0]
    assert event.data.previous_attributes.to_dict() == {
        "metadata": {"a": "1", "c": None}, "name": "Ada"}  # fmt: skip
    assert customers.delete(made.id).deleted
    assert customers.retrieve(made.id).deleted
    assert customers.list().data == []


def test_lists_run_newest_first_and_page_by_id(api: Stage) -> None:
    customers = api.client.v1.customers
    ids = []
    for number in range(7):
        api.clock.move(number % 2)
        ids.append(customers.create({"email": f"c{number % 2}@example.com"}).id)
    assert [one.id for one in customers.list({"limit": 3}).auto_paging_iter()] == ids[::-1]
    page = customers.list({"limit": 2, "ending_before": ids[3]})
    assert [one.id for one in page.data] == [ids[5], ids[4]] and page.has_more
    odd = customers.list({"email": "c1@example.com", "limit": 2})
    assert [one.id for one in odd.auto_paging_iter()] == [ids[5], ids[3], ids[1]]
    # The clock moved before customers 1, 3 and 5: two were made in each second, but the first.
    young = customers.list({"created": {"gt": NOW + 1, "lte": NOW + 2}})
    assert [one.id for one in young.data] == [ids[4], ids[3]]


def test_an_invoice_is_paid_and_its_money_can_be_followed(api: Stage) -> None:
    v1 = api.client.v1
    customer = payer(api)
    invoice = invoice_for(api, customer.id)
    assert (invoice.status, invoice.total, invoice.amount_due) == ("open", 10_000, 10_000)
    assert invoice.number.endswith("-0001")
    paid = v1.invoices.pay(invoice.id, {"expand": ["payments.data.payment.payment_intent"]})
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 10_000, 0)
    intent = paid.payments.data[0].payment.payment_intent
    charge = v1.charges.retrieve(intent.latest_charge, {"expand": ["balance_transaction"]})
    # 2.9 % of 100.00 is 2.90, and 0.30: 3.20.
    entry = charge.balance_transaction
    assert (entry.amount, entry.fee, entry.net) == (10_000, 320, 9_680)
    assert (entry.status, entry.available_on) == ("pending", NOW + 2 * DAY)
    found = v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    )
    assert [one.invoice for one in found.data] == [invoice.id]
    api.clock.move(2 * DAY)
    assert v1.balance.retrieve().available[0].amount == 9_680


def test_paid_invoices_are_numbered_one_after_the_other(api: Stage) -> None:
    customer = payer(api)
    numbers = [invoice_for(api, customer.id).number for _ in range(3)]
    assert [number[-4:] for number in numbers] == ["0001", "0002", "0003"]
    assert len({number[:-5] for number in numbers}) == 1


def test_an_invoice_paid_elsewhere_makes_no_charge(api: Stage) -> None:
    customer = api.client.v1.customers.create({"name": "Bob"})
    invoice = invoice_for(api, customer.id, collection_method="send_invoice", days_until_due=30)
    assert invoice.due_date == NOW + 30 * DAY
    paid = api.client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_remaining) == ("paid", 0)
    assert api.client.v1.charges.list().data == []
    assert "invoice.paid" in api.events()


def test_states_of_an_invoice_are_kept(api: Stage) -> None:
    invoices = api.client.v1.invoices
    customer = payer(api)
    void = invoices.void_invoice(invoice_for(api, customer.id).id)
    assert void.status == "void" and void.status_transitions.voided_at == NOW
    for act in (invoices.pay, invoices.void_invoice, invoices.finalize_invoice, invoices.delete,
                invoices.mark_uncollectible):  # fmt: skip
        with pytest.raises(stripe.InvalidRequestError):
            act(void.id)
    bad = invoices.mark_uncollectible(invoice_for(api, customer.id).id)
    assert bad.status == "uncollectible"
    assert invoices.pay(bad.id).status == "paid"
    draft = invoices.create({"customer": customer.id})
    assert invoices.delete(draft.id).deleted
    with pytest.raises(stripe.InvalidRequestError) as problem:
        invoices.retrieve(draft.id)
    assert (problem.value.code, problem.value.http_status) == ("resource_missing", 404)


def test_a_finalized_invoice_cannot_be_changed(api: Stage) -> None:
    v1 = api.client.v1
    customer = payer(api)
    invoice = invoice_for(api, customer.id)
    assert v1.invoices.update(invoice.id, {"metadata": {"k": "v"}}).metadata["k"] == "v"
    with pytest.raises(stripe.InvalidRequestError) as problem:
        v1.invoices.update(invoice.id, {"number": "X-1"})
    assert problem.value.code == "invoice_not_editable"
    with pytest.raises(stripe.InvalidRequestError) as problem:
        v1.invoice_items.create({"customer": customer.id, "invoice": invoice.id, "amount": 1,
                                 "currency": "usd"})  # fmt: skip
    assert problem.value.code == "invoice_not_editable"


def test_taxes_and_discounts_add_up(api: Stage) -> None:
    v1 = api.client.v1
    customer = payer(api)
    rate = v1.tax_rates.create({"display_name": "VAT", "percentage": 19.0, "inclusive": False})
    coupon = v1.coupons.create({"percent_off": 10.0, "duration": "once"})
    invoice = v1.invoices.create({"customer": customer.id, "default_tax_rates": [rate.id],
                                  "discounts": [{"coupon": coupon.id}]})  # fmt: skip
    for amount in (999, 2_001):
        v1.invoice_items.create({"customer": customer.id, "invoice": invoice.id, "amount": amount,
                                 "currency": "usd"})  # fmt: skip
    done = v1.invoices.finalize_invoice(invoice.id)
    # 10 % of 9.99 is 1.00, of 20.01 is 2.00; 19 % of 8.99 is 1.71, of 18.01 is 3.42.
    assert [d.amount for d in done.total_discount_amounts] == [300]
    assert [t.amount for t in done.total_taxes] == [513]
    assert (done.subtotal, done.total, done.total_excluding_tax) == (3_000, 3_213, 2_700)
    assert [line.amount for line in done.lines.data] == [999, 2_001]


def test_more_than_ten_lines_are_read_from_their_own_list(api: Stage) -> None:
    v1 = api.client.v1
    customer = payer(api)
    invoice = v1.invoices.create({"customer": customer.id})
    for amount in range(100, 112):
        v1.invoice_items.create({"customer": customer.id, "invoice": invoice.id, "amount": amount,
                                 "currency": "usd"})  # fmt: skip
    seen = v1.invoices.retrieve(invoice.id)
    assert len(seen.lines.data) == 10 and seen.lines.has_more
    lines = v1.invoices.line_items.list(invoice.id, {"limit": 5}).auto_paging_iter()
    assert [line.amount for line in lines] == list(range(100, 112))
    assert seen.total == sum(range(100, 112))


def test_credit_notes_before_and_after_payment(api: Stage) -> None:
    v1 = api.client.v1
    customer = payer(api)
    invoice = invoice_for(api, customer.id)
    before = v1.credit_notes.create({"invoice": invoice.id, "amount": 2_500})
    assert (before.type, before.pre_payment_amount, before.number) == (
        "pre_payment", 2_500, f"{invoice.number}-CN-01")  # fmt: skip
    assert v1.invoices.retrieve(invoice.id).amount_remaining == 7_500
    v1.invoices.pay(invoice.id)
    with pytest.raises(stripe.InvalidRequestError):
        v1.credit_notes.create({"invoice": invoice.id, "amount": 1_000})
    after = v1.credit_notes.create({"invoice": invoice.id, "amount": 1_000, "refund_amount": 600,
                                    "credit_amount": 400})  # fmt: skip
    assert (after.type, after.post_payment_amount) == ("post_payment", 1_000)
    assert v1.refunds.list().data[0].amount == 600
    assert v1.customers.retrieve(customer.id).balance == -400
    entries = v1.customers.balance_transactions.list(customer.id).data
    assert [(e.type, e.amount, e.ending_balance) for e in entries] == [("credit_note", -400, -400)]
    with pytest.raises(stripe.InvalidRequestError):  # 2,500 + 1,000 + 7,000 is above 10,000
        v1.credit_notes.create({"invoice": invoice.id, "amount": 7_000, "credit_amount": 7_000})


def test_voiding_a_credit_note_raises_what_is_due_again(api: Stage) -> None:
    v1 = api.client.v1
    invoice = invoice_for(api, payer(api).id)
    note = v1.credit_notes.create({"invoice": invoice.id, "amount": 4_000})
    assert v1.credit_notes.void_credit_note(note.id).status == "void"
    assert v1.invoices.retrieve(invoice.id).amount_remaining == 10_000


def test_a_customers_credit_pays_an_invoice(api: Stage) -> None:
    v1 = api.client.v1
    customer = payer(api)
    v1.customers.balance_transactions.create(customer.id, {"amount": -12_000, "currency": "usd"})
    invoice = invoice_for(api, customer.id)
    assert (invoice.status, invoice.amount_due, invoice.starting_balance) == ("paid", 0, -12_000)
    assert invoice.ending_balance == v1.customers.retrieve(customer.id).balance == -2_000


def test_refunds_cannot_give_back_more_than_was_taken(api: Stage) -> None:
    v1 = api.client.v1
    intent = v1.payment_intents.create({"amount": 5_000, "currency": "usd", "confirm": True,
                                        "payment_method": "pm_card_visa"})  # fmt: skip
    assert (intent.status, intent.amount_received) == ("succeeded", 5_000)
    v1.refunds.create({"payment_intent": intent.id, "amount": 2_000})
    with pytest.raises(stripe.InvalidRequestError):
        v1.refunds.create({"payment_intent": intent.id, "amount": 3_001})
    v1.refunds.create({"charge": intent.latest_charge})
    charge = v1.charges.retrieve(intent.latest_charge, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (5_000, True)
    assert [refund.amount for refund in charge.refunds.data] == [3_000, 2_000]
    with pytest.raises(stripe.InvalidRequestError) as problem:
        v1.refunds.create({"charge": charge.id})
    assert problem.value.code == "charge_already_refunded"


def test_authorised_money_is_captured_or_released(api: Stage) -> None:
    intents = api.client.v1.payment_intents
    held = {"amount": 1_000, "currency": "usd", "confirm": True, "capture_method": "manual",
            "payment_method": "pm_card_visa"}  # fmt: skip
    first = intents.create(held)
    assert (first.status, first.amount_capturable) == ("requires_capture", 1_000)
    assert intents.capture(first.id, {"amount_to_capture": 600}).amount_received == 600
    assert intents.cancel(intents.create(held).id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as problem:
        intents.cancel(first.id)
    assert problem.value.code == "payment_intent_unexpected_state"


def test_declines_are_card_errors_and_leave_the_invoice_open(api: Stage) -> None:
    v1 = api.client.v1
    invoice = invoice_for(api, payer(api, "pm_card_chargeCustomerFail").id)
    with pytest.raises(stripe.CardError) as problem:
        v1.invoices.pay(invoice.id)
    assert (problem.value.code, problem.value.http_status) == ("card_declined", 402)
    after = v1.invoices.retrieve(invoice.id)
    assert (after.status, after.attempt_count) == ("open", 1)
    assert "invoice.payment_failed" in api.events()
    assert v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"}).status == "paid"


def test_a_disputed_charge_takes_the_money_back(api: Stage) -> None:
    v1 = api.client.v1
    intent = v1.payment_intents.create({"amount": 5_000, "currency": "usd", "confirm": True,
                                        "payment_method": "pm_card_createDispute"})  # fmt: skip
    dispute = v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert (dispute.status, dispute.balance_transactions[0].net) == ("needs_response", -6_500)
    won = v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    )
    assert won.status == "won"
    assert sum(one.amount for one in won.balance_transactions) == 0


def test_a_subscription_is_billed_each_month_and_canceled(api: Stage) -> None:
    v1 = api.client.v1
    product = v1.products.create({"name": "Pro"})
    price = v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 2_000,
                              "recurring": {"interval": "month"}})  # fmt: skip
    made = v1.subscriptions.create(
        {"customer": payer(api).id, "items": [{"price": price.id, "quantity": 3}]}
    )
    item = made["items"].data[0]
    # 31 January plus a month is 28 February.
    assert (made.status, item.current_period_end) == ("active", NOW + 28 * DAY)
    api.clock.move(60 * DAY)
    found = v1.invoices.list({"subscription": made.id}).data
    assert [(one.billing_reason, one.total, one.status) for one in found] == [
        ("subscription_cycle", 6_000, "paid"), ("subscription_cycle", 6_000, "paid"),
        ("subscription_create", 6_000, "paid")]  # fmt: skip
    assert [one.created for one in found] == [NOW + 59 * DAY, NOW + 28 * DAY, NOW]
    assert v1.subscriptions.cancel(made.id).status == "canceled"
    assert v1.subscriptions.list().data == []
    assert [one.id for one in v1.subscriptions.list({"status": "all"}).data] == [made.id]
    with pytest.raises(stripe.InvalidRequestError):
        v1.subscriptions.cancel(made.id)


def test_a_change_in_mid_period_is_prorated(api: Stage) -> None:
    v1 = api.client.v1
    product = v1.products.create({"name": "Pro"})
    price = v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 2_800,
                              "recurring": {"interval": "month"}})  # fmt: skip
    customer = payer(api)
    made = v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    api.clock.move(7 * DAY)  # a quarter of the 28 days
    item = made["items"].data[0].id
    v1.subscriptions.update(made.id, {"items": [{"id": item, "quantity": 2}]})
    pending = v1.invoice_items.list({"customer": customer.id, "pending": True}).data
    assert [(one.amount, one.proration) for one in pending] == [(4_200, True), (-2_100, True)]


def test_a_refunds_event_shows_it_as_it_was_made(api: Stage) -> None:
    v1 = api.client.v1
    v1.charges.create({"amount": 900, "currency": "usd", "source": "tok_visa"})
    charge = v1.charges.list().data[0].id
    made = v1.refunds.create({"charge": charge, "amount": 10, "metadata": {"why": "late"}})
    (event,) = v1.events.list({"type": "refund.created"}).data
    assert event.data.object.to_dict() == made.to_dict()
    assert made.metadata.to_dict() == {"why": "late"}
    (event,) = v1.events.list({"type": "charge.refunded"}).data
    assert event.data.previous_attributes.to_dict() == {"amount_refunded": 0}


def test_search_finds_what_the_index_has_seen(api: Stage) -> None:
    customers = api.client.v1.customers
    made = customers.create({"name": "Grace", "metadata": {"tieout_id": "c-1"}})
    query = {"query": "metadata['tieout_id']:'c-1' AND name:'grace'"}
    assert customers.search(query).data == []
    api.clock.move(60)
    assert [one.id for one in customers.search(query).data] == [made.id]
    for number in range(3):
        customers.create({"name": f"N{number}", "metadata": {"g": "x"}})
    api.clock.move(60)
    found = customers.search({"query": "metadata['g']:'x'", "limit": 2})
    assert found.has_more and [one.name for one in found.auto_paging_iter()] == ["N2", "N1", "N0"]
    with pytest.raises(stripe.InvalidRequestError):
        customers.search({"query": "shoe_size:'44'"})


def test_ids_of_our_own_choice_exist_once(api: Stage) -> None:
    products = api.client.v1.products
    products.create({"id": "prod_mine", "name": "A"})
    with pytest.raises(stripe.InvalidRequestError) as problem:
        products.create({"id": "prod_mine", "name": "B"})
    assert problem.value.code == "resource_already_exists"


def test_the_same_key_makes_one_object(api: Stage) -> None:
    customers = api.client.v1.customers
    first = customers.create({"name": "Ada"}, {"idempotency_key": "k-1"})
    again = customers.create({"name": "Ada"}, {"idempotency_key": "k-1"})
    assert first.id == again.id and len(customers.list().data) == 1
    with pytest.raises(stripe.IdempotencyError):
        customers.create({"name": "Bob"}, {"idempotency_key": "k-1"})
    event = api.client.v1.events.list().data[0]
    assert event.request.idempotency_key == "k-1"
    api.clock.move(DAY)
    assert customers.create({"name": "Ada"}, {"idempotency_key": "k-1"}).id != first.id


def test_errors_have_the_clients_own_classes(api: Stage) -> None:
    other = stripe.StripeClient("sk_test_wrong_0123456789", base_addresses={"api": api.running.url},
                                max_network_retries=0)  # fmt: skip
    with pytest.raises(stripe.AuthenticationError) as problem:
        other.v1.customers.list()
    assert "wrong_0123" not in str(problem.value)
    api.running.faults.add("429")
    with pytest.raises(stripe.RateLimitError) as limited:
        api.client.v1.customers.list()
    assert limited.value.error.code == "rate_limit"
    api.running.faults.add("500_before")
    with pytest.raises(stripe.APIError):
        api.client.v1.customers.list()
    api.running.faults.add("closed")
    with pytest.raises(stripe.APIConnectionError):
        api.client.v1.customers.list()


class Mailbox:
    """A webhook receiver that keeps what it got."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.answer = 200
        box = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                box.got.append((self.headers["Stripe-Signature"], body))
                self.send_response(box.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.server.shutdown()
    box.server.server_close()


def test_webhooks_are_signed_and_verified_by_the_client(api: Stage, mailbox: Mailbox) -> None:
    v1 = api.client.v1
    endpoint = v1.webhook_endpoints.create(
        {"url": mailbox.url, "enabled_events": ["customer.created"]}
    )
    assert endpoint.secret.startswith("whsec_")
    assert "secret" not in v1.webhook_endpoints.retrieve(endpoint.id)
    made = v1.customers.create({"name": "Ada"})
    v1.products.create({"name": "not asked for"})
    assert api.stand_in.wait_for_webhooks()
    ((signature, body),) = mailbox.got
    # Its clock stands in January 2026: the age of the signature is not what is tested.
    event = stripe.Webhook.construct_event(body, signature, endpoint.secret, tolerance=None)
    assert (event.type, event.data.object.id) == ("customer.created", made.id)
    assert signature.startswith(f"t={NOW},v1=")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", signature, endpoint.secret, tolerance=None)


def test_a_refused_webhook_is_retried_on_the_sandbox_clock(api: Stage, mailbox: Mailbox) -> None:
    api.stand_in.send_webhooks_to(mailbox.url)
    mailbox.answer = 500
    api.client.v1.customers.create({"name": "Ada"})
    assert api.stand_in.wait_for_webhooks()
    failed = api.client.v1.events.list({"delivery_success": False}).data
    assert [(event.type, event.pending_webhooks) for event in failed] == [("customer.created", 1)]
    mailbox.answer = 200
    api.clock.move(300)
    for _ in range(200):
        if len(mailbox.got) == 2:
            break
        threading.Event().wait(0.02)
    assert api.stand_in.wait_for_webhooks()
    assert mailbox.got[0][1] == mailbox.got[1][1]


@pytest.mark.parametrize(
    ("kind", "names"),
    [("duplicate_webhook", "AABC"), ("reorder_webhook", "BAC"), ("lost_webhook", "BC")],
)
def test_webhooks_come_twice_late_or_never(
    api: Stage, mailbox: Mailbox, kind: str, names: str
) -> None:
    api.stand_in.send_webhooks_to(mailbox.url)
    api.running.faults.add(kind)
    for name in "ABC":
        api.client.v1.customers.create({"name": name})
    assert api.stand_in.wait_for_webhooks()
    got = [json.loads(body)["data"]["object"]["name"] for _, body in mailbox.got]
    assert "".join(got) == names
