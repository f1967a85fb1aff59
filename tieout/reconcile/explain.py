"""The likely cause of a break, in the words of the people who will mend it. Pure.

A guess that names its evidence; the first that fits is told, the most telling come first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .breaks import Difference, Kind
from .rules import FlowRule

if TYPE_CHECKING:
    from .compare import Pair, Side


def likely_cause(pair: Pair, rule: FlowRule, kind: Kind, differences: Sequence[Difference]) -> str:
    """One short clause without a full stop, or '' where nothing suggests itself."""
    if kind == "duplicate":
        system = rule.left if pair.left else rule.right
        return f"entered twice in {system}: {pair.surplus_why} as {pair.surplus_of}"
    if pair.refusal:
        return _refused(pair, rule)
    if kind == "stale":
        return f"a write has been waiting for more than {rule.stale_hours} hours"
    if kind == "missing":
        return _missing(pair, rule)
    if kind == "extra":
        return _extra(pair, rule)
    assert pair.left is not None and pair.right is not None
    return _differs(pair.left, pair.right, rule, {each.name: each for each in differences})


def _refused(pair: Pair, rule: FlowRule) -> str:
    words = " ".join(pair.refusal.split())[:160]
    told = words.casefold()
    if "period" in told and ("closed" in told or "locked" in told):
        return f"closed period: {rule.right} refused the write ({words})"
    return f"{rule.right} refused the write: {words}"


def _missing(pair: Pair, rule: FlowRule) -> str:
    assert pair.left is not None
    if pair.right is not None and pair.right.deleted:
        return f"deleted in {rule.right}"
    if pair.gone:
        return f"linked with {pair.gone}, which {rule.right} no longer returns"
    if pair.left.context.get("customer_unlinked"):
        return f"its customer is not in {rule.right}"
    return f"never arrived in {rule.right}"


def _extra(pair: Pair, rule: FlowRule) -> str:
    assert pair.right is not None
    if pair.left is not None and pair.left.deleted:
        return f"deleted in {rule.left}"
    if pair.gone:
        return f"linked with {pair.gone}, which {rule.left} no longer returns"
    if not pair.right.context.get("keyed"):
        return f"typed by hand in {rule.right}"
    return f"carries an id that {rule.left} does not know"


def _differs(left: Side, right: Side, rule: FlowRule, by_name: dict[str, Difference]) -> str:
    if "currency" in by_name:
        return _currencies(left, right, by_name["currency"])
    if left.dead or right.dead:
        return _voided(left, right, rule)
    amount = by_name.get(rule.amount or "")
    if amount and (told := _amounts(left, right, amount, rule)):
        return told
    if "status" in by_name and (told := _status(by_name["status"], rule)):
        return told
    kinds = {name: how.kind for name, how in rule.fields.items()}
    for name in by_name:
        if kinds.get(name) == "reference":
            return f"booked to another {rule.fields[name].entity} in {rule.right}"
    for name, each in by_name.items():
        if kinds.get(name) == "date" and each.left and each.right:
            return _dates(str(each.left), str(each.right))
    if "balance_minor" in by_name:
        return _balance(by_name["balance_minor"], rule)
    if "allocations" in by_name:
        return f"applied to other invoices in {rule.right}"
    return _edited(by_name, rule)


def _currencies(left: Side, right: Side, each: Difference) -> str:
    same = left.amount_minor == right.amount_minor
    return "currency mix-up: " + (
        f"the same figure in {each.left} and {each.right}"
        if same
        else f"{each.left} on one side, {each.right} on the other"
    )


def _amounts(left: Side, right: Side, each: Difference, rule: FlowRule) -> str:
    here, there = each.left or 0, each.right or 0
    gap = here - there
    fee = left.context.get("fee_minor") or right.context.get("fee_minor") or 0
    if fee and abs(gap) == fee:
        return "bank fee: one side booked the amount net of it"
    refunded = left.context.get("refunded_minor") or right.context.get("refunded_minor") or 0
    if refunded and abs(gap) == refunded:
        return "partial refund taken off the amount on one side only"
    tax = _either(left, right, "tax_minor")
    if gap in tax:
        return f"tax is missing in {rule.right}"
    if -gap in tax:
        return f"tax is missing in {rule.left}"
    if there == -here:
        return "opposite sign: a credit booked as a charge, or the reverse"
    if transposed(here, there):
        return "digits transposed when it was typed"
    if shifted(here, there):
        return "decimal point in another place"
    if abs(gap) <= 2:
        return "rounding"
    return ""


def _either(left: Side, right: Side, name: str) -> set[int]:
    return {side.context.get(name) or 0 for side in (left, right)} - {0}


def transposed(here: int, there: int) -> bool:
    """Whether two neighbouring digits changed places; such a difference divides by 9."""
    if here == there or (here - there) % 9 or here < 0 or there < 0:
        return False
    one, two = str(here), str(there)
    width = max(len(one), len(two))
    one, two = one.zfill(width), two.zfill(width)
    wrong = [at for at in range(width) if one[at] != two[at]]
    if len(wrong) != 2 or wrong[1] != wrong[0] + 1:
        return False
    first, second = wrong
    return one[first] == two[second] and one[second] == two[first]


def shifted(here: int, there: int) -> bool:
    """Whether one amount is the other times 10, 100 or 1000."""
    small, large = sorted((abs(here), abs(there)))
    return small > 0 and large in (small * 10, small * 100, small * 1000)


def _voided(left: Side, right: Side, rule: FlowRule) -> str:
    if left.dead and right.dead:
        return "edited after it was voided"
    if left.dead:
        return f"voided in {rule.left}; {rule.right} still counts it"
    return f"voided in {rule.right} only"


def _status(each: Difference, rule: FlowRule) -> str:
    here, there = str(each.left), str(each.right)
    if here == "paid" and there in ("open", "uncollectible"):
        return f"its payment is not applied in {rule.right}"
    if there == "paid":
        return f"paid in {rule.right} only: settled outside {rule.left}"
    if "draft" in (here, there):
        return "still a draft on one side"
    if "uncollectible" in (here, there):
        return "written off on one side only"
    return ""


def _dates(left: str, right: str) -> str:
    if left[:7] != right[:7]:
        return "timing across month end: the sides book it in different months"
    return "booked on another day"


def _balance(each: Difference, rule: FlowRule) -> str:
    if (each.left or 0) < (each.right or 0):
        return f"a payment or credit is not applied in {rule.right}"
    return f"a payment or credit is applied in {rule.right} only"


def _edited(by_name: dict[str, Difference], rule: FlowRule) -> str:
    empty = [each for each in by_name.values() if each.right in (None, "")]
    if by_name and len(empty) == len(by_name):
        return f"left empty in {rule.right}"
    alike = all(_letters(each.left) == _letters(each.right) for each in by_name.values())
    return "spelt differently" if alike else "edited on one side"


def _letters(value: Any) -> Any:
    """What is left of a text without case, white space and punctuation."""
    if not isinstance(value, str):
        return value
    return "".join(letter for letter in value.casefold() if letter.isalnum())
