"""What becomes of an invoice: paid at once, after trouble, in parts, by wire, or never."""

from __future__ import annotations

from .billing import Ledger
from .facts import Attempt, Bill, CreditNote, Dispute, Line, Receipt, Refund, new_id
from .moments import DAY, HOUR

_DECLINES = ["insufficient_funds", "card_declined", "expired_card", "do_not_honor"]
_RETRY_DAYS = (3, 5, 7)
_GIVE_UP_DAYS = 21


def settle(ledger: Ledger, bill: Bill) -> None:
    """Let time pass over a finalised invoice, at most until now."""
    if bill.finalized is None or bill.amount_due(bill.finalized) == 0:
        return
    if ledger.client.sends_invoices:
        _settle_sent(ledger, bill)
    else:
        _settle_charged(ledger, bill)
    _refund_or_credit(ledger, bill)
    for receipt in bill.receipts:
        _close_intent(ledger, bill, receipt)


# Charged automatically


def _settle_charged(ledger: Ledger, bill: Bill) -> None:
    rng, receipt = ledger.rng, bill.receipts[0]
    at = receipt.created + rng.randint(2, 45)
    roll = rng.random()
    if roll < 0.9 or bill.reason == "subscription_create":
        succeed(ledger, receipt, at)
        return
    failures = rng.randint(1, 2) if roll < 0.96 else len(_RETRY_DAYS) + 1
    for days in [0, *_RETRY_DAYS][:failures]:
        _fail(ledger, receipt, at + days * DAY)
    if failures <= len(_RETRY_DAYS):
        succeed(ledger, receipt, at + _RETRY_DAYS[failures - 1] * DAY + rng.randint(0, HOUR))
        return
    _give_up(ledger, bill, at + _GIVE_UP_DAYS * DAY)


def _give_up(ledger: Ledger, bill: Bill, at: int) -> None:
    """All retries failed: Stripe marks the invoice uncollectible and ends the subscription."""
    subscription = bill.subscription
    if at > ledger.span.now:
        if subscription is not None and subscription.ended is None:
            subscription.status = "past_due"
        return
    bill.uncollectible = at
    if subscription is not None:
        subscription.status, subscription.cancel_reason = "canceled", "payment_failed"
        subscription.canceled = subscription.ended = at


def _fail(ledger: Ledger, receipt: Receipt, at: int) -> None:
    if at <= ledger.span.now:
        charge = new_id(ledger.rng, "ch_3")
        receipt.attempts.append(Attempt(charge, at, ledger.rng.choice(_DECLINES)))


def succeed(ledger: Ledger, receipt: Receipt, at: int) -> None:
    """The payment goes through at `at`, unless that is still to come."""
    if at > ledger.span.now:
        return
    rng, currency = ledger.rng, receipt.bill.currency
    receipt.attempts.append(Attempt(new_id(rng, "ch_3"), at, None))
    receipt.succeeded = at
    receipt.transaction = new_id(rng, "txn_3")
    rate = 290 if receipt.method == "card" else 80
    fee = currency.share(receipt.amount, rate, 10_000)
    fee += currency.fixed_fee if receipt.method == "card" else 0
    receipt.fee = min(fee, receipt.amount)
    if receipt.method == "card":
        _dispute(ledger, receipt, at)


# Sent by mail, paid by transfer


def _settle_sent(ledger: Ledger, bill: Bill) -> None:
    rng, span = ledger.rng, ledger.span
    assert bill.finalized is not None
    due = bill.due or bill.finalized
    roll = rng.random()
    old = bill.finalized < span.cutoff
    pay = due + rng.randint(-22, 12) * DAY + rng.randint(0, DAY)
    if roll < 0.05 and bill.finalized + 6 * DAY < span.cutoff:
        if ledger.client.biller == "zuora":  # reverses an invoice by a credit memo instead
            _pay_rest(ledger, bill, pay)
            return
        bill.voided = bill.finalized + rng.randint(HOUR, 5 * DAY)
    elif roll < 0.12:
        if due + 120 * DAY < span.now and rng.random() < 0.6:
            bill.uncollectible = due + 120 * DAY
    elif roll < 0.24:
        _credit_before_payment(ledger, bill, bill.finalized + rng.randint(HOUR, 6 * DAY))
        _pay_rest(ledger, bill, pay)
    elif roll < 0.42:
        if ledger.client.biller != "stripe":
            _pay_rest(ledger, bill, pay)
        elif old and pay <= span.now:
            bill.out_of_band = pay
    elif roll < 0.5:
        _pay_in_two(ledger, bill, pay)
    else:
        _pay_rest(ledger, bill, pay)


def _pay_rest(ledger: Ledger, bill: Bill, at: int) -> None:
    receipt, rest = bill.receipts[0], bill.remaining(at)
    if rest > 0:
        receipt.amount = rest
        succeed(ledger, receipt, at)


def _pay_in_two(ledger: Ledger, bill: Bill, at: int) -> None:
    """A part now, the rest two weeks later: two payment intents on one invoice."""
    part = bill.currency.share(bill.remaining(at), ledger.rng.randint(30, 60), 100)
    if at > ledger.span.now or not 0 < part < bill.remaining(at):
        return
    first = bill.receipts[0]
    rest = first.amount - part
    first.amount = part
    succeed(ledger, first, at)
    second = ledger.receipt(bill, rest, at + HOUR, is_default=False)
    if second.created > ledger.span.now:
        bill.receipts.remove(second)
        return
    succeed(ledger, second, at + 14 * DAY)


def _close_intent(ledger: Ledger, bill: Bill, receipt: Receipt) -> None:
    """An intent that can bring nothing more is canceled by Stripe."""
    if receipt.succeeded is not None:
        return
    paid = bill.paid_at(ledger.span.now)
    receipt.canceled = bill.voided if bill.voided is not None else paid


# Credit notes, refunds, disputes


def _credit_before_payment(ledger: Ledger, bill: Bill, at: int) -> None:
    rng = ledger.rng
    if at > ledger.span.now or bill.starting_balance:
        return
    whole = rng.random() < 0.2 and len(bill.lines) <= 10
    credit(ledger, bill, "pre_payment", at, None if whole else rng.randint(5, 35))


def _refund_or_credit(ledger: Ledger, bill: Bill) -> None:
    rng, span = ledger.rng, ledger.span
    paid = bill.paid_at(span.now)
    if paid is None or not untouched(bill):
        return
    at = paid + rng.randint(HOUR, 16 * DAY)
    newcomer = ledger.client.index % 24 == 3 and bill.reason == "subscription_create"
    if newcomer:  # so that the latest days have refunds too
        at = paid + rng.randint(HOUR, 20 * HOUR)
    if (newcomer or rng.random() < 0.06) and at <= span.now and len(bill.lines) <= 10:
        part = None if rng.random() < 0.4 else rng.randint(10, 60)
        refund(ledger, bill, at, part)
    elif ledger.client.index % 7 == 4 and _may_grant(ledger, bill, paid):
        _grant(ledger, bill, paid + 2 * DAY)


def _may_grant(ledger: Ledger, bill: Bill, paid: int) -> bool:
    """Goodwill credit, once a client, and so early that the next invoice used it up before
    the cutoff: an unsettled credit would make that invoice impossible to mirror."""
    subscription = bill.subscription
    if subscription is None or ledger.entries or bill.reason != "subscription_cycle":
        return False
    if ledger.client.biller != "stripe":
        return False
    quick = paid - (bill.finalized or paid) < 10 * DAY
    plain = all(line.item and not line.proration for line in bill.lines)
    return quick and plain and subscription.period[1] + 3 * DAY < ledger.span.cutoff


def _grant(ledger: Ledger, bill: Bill, at: int) -> None:
    """A credit note that goes to the customer's balance, for the next invoice to use."""
    note = credit(ledger, bill, "balance", at, ledger.rng.randint(5, 25))
    if note is not None:
        entry = ledger.move_balance(-note.total, "credit_note", at, bill=bill.id, note=note.id)
        note.balance_entry = entry.id


def farewell(ledger: Ledger) -> None:
    """Some who left get a part of their last payment back as credit, and never use it."""
    subscription, span = ledger.subscriptions[0], ledger.span
    ended = subscription.ended
    if ended is None or ledger.entries or ended + 4 * DAY > span.cutoff:
        return
    if ledger.client.biller != "stripe":
        return
    paid = [
        bill
        for bill in ledger.bills
        if bill.reason != "manual" and bill.status(ended) == "paid" and untouched(bill)
    ]
    if paid and ledger.rng.random() < 0.45:
        _grant(ledger, paid[-1], ended + ledger.rng.randint(HOUR, 3 * DAY))


def untouched(bill: Bill) -> bool:
    """Whether nothing but one undisputed payment has happened to a bill."""
    receipts = bill.receipts
    plain = not bill.credits and not bill.out_of_band and not bill.starting_balance
    return plain and len(receipts) == 1 and not receipts[0].dispute


def refund(ledger: Ledger, bill: Bill, at: int, percent: int | None) -> None:
    """Pay a bill's payment back, whole (`percent` None) or in part, with its credit note."""
    rng, receipt = ledger.rng, bill.receipts[0]
    note = credit(ledger, bill, "refund", at, percent)
    if note is None:
        return
    reason = rng.choice(["requested_by_customer", "requested_by_customer", "duplicate"])
    made = Refund(new_id(rng, "re_3"), receipt, note.total, at, reason, new_id(rng, "txn_3"))
    receipt.refunds.append(made)
    note.refund = made


def credit(
    ledger: Ledger, bill: Bill, kind: str, at: int, percent: int | None
) -> CreditNote | None:
    """A credit note for all lines (`percent` None), or for a part as one line of its own."""
    rng, currency, tax = ledger.rng, bill.currency, bill.client.tax
    lines: list[Line] | None = None
    if percent is None:
        lines = bill.lines
        subtotal, discount, taxed = bill.subtotal, bill.discounted, bill.tax
    else:
        subtotal = currency.share(bill.subtotal - bill.discounted, percent, 100)
        discount, taxed = 0, currency.share(subtotal, tax.rate, 100_000) if tax else 0
    if subtotal <= 0:
        return None
    note = CreditNote(
        id=new_id(rng, "cn_1"),
        number="",
        bill=bill,
        kind=kind,
        created=at,
        subtotal=subtotal,
        discount=discount,
        tax=taxed,
        reason=rng.choice([None, "product_unsatisfactory", "order_change"]),
        memo=rng.choice(["Goodwill", "Wrong number of seats", "Outage in March", "Moved plan"]),
        lines=lines,
        line_ids=[new_id(rng, "cnli_1") for _ in range(len(lines or "-"))],
    )
    bill.credits.append(note)
    return note


def _dispute(ledger: Ledger, receipt: Receipt, at: int) -> None:
    """Some clients' first payment comes back through their bank."""
    client, rng, span = ledger.client, ledger.rng, ledger.span
    first = not any(one.dispute for bill in ledger.bills for one in bill.receipts)
    opened = at + rng.randint(5, 40) * DAY
    if client.biller != "stripe" or client.index % 13 not in (0, 7):
        return
    if not first or opened > span.now:
        return
    closed = opened + rng.randint(20, 60) * DAY
    won = client.index % 13 == 0
    done = closed <= span.now
    receipt.dispute = Dispute(
        id=new_id(rng, "du_1"),
        created=opened,
        closed=closed if done else None,
        status=("won" if won else "lost") if done else "under_review",
        reason=rng.choice(["fraudulent", "product_not_received", "subscription_canceled"]),
        amount=receipt.amount,
        withdrawn=new_id(rng, "txn_1"),
        reinstated=new_id(rng, "txn_1") if done and won else None,
    )
