"""Records that cannot be understood are set aside and shown; the rest of the page goes on."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from two_stripes import World
from wire import Answer, as_json, edit

Change = Callable[[dict[str, Any]], None]

BROKEN: dict[str, Change] = {
    "C000": lambda record: record.update(balance="ten"),
    "C001": lambda record: record.update(balance=Decimal("10.5")),
    "C002": lambda record: record.update(created="yesterday"),
    "C003": lambda record: record.update(balance=10**30),
    "C004": lambda record: record.update(deleted="perhaps"),
    "C005": lambda record: record.update(name={"first": "Ada"}),
    "C006": lambda record: record.update(email=["a@a.test"]),
    "C007": lambda record: record.update(address="Main Street"),
}
GOOD = ["C008", "C009"]


def breaking(answers: dict[str, Change]) -> Callable[[str, str, Answer], Answer]:
    """Changes records on their way, by the provider's name of them."""

    def on_answer(method: str, path: str, answer: Answer) -> Answer:
        if not path.startswith(("/v1/customers", "/v1/products")) or answer[0] != 200:
            return answer

        def change(record: dict[str, Any]) -> None:
            if isinstance(record, dict) and record.get("name") in answers:
                answers[record["name"]](record)

        return edit(answer, change)

    return on_answer


def test_what_cannot_be_mapped_is_set_aside_and_taken_back_when_mended(world: World) -> None:
    world.seed(10)
    world.left.wire.on_answer = breaking(BROKEN)
    done = world.run("sync", code=3)
    assert "8" in done.out and "set aside" in done.out
    assert world.right.names("customer") == GOOD
    status = world.run("status", "--json", code=3).document
    left = next(e for e in status["entities"] if (e["system"], e["entity"]) == ("left", "customer"))
    assert (left["records"], left["quarantined"]) == (2, 8)
    reasons = dict(world.ask("SELECT id, reason FROM quarantine"))
    ids = {item["name"]: item["id"] for item in world.left.held("customer")}
    assert set(reasons) == {ids[name] for name in BROKEN}
    for name, word in (("C000", "credit_minor"), ("C001", "credit_minor"), ("C002", "created_at"),
                       ("C004", "deleted"), ("C006", "email")):  # fmt: skip
        assert word in reasons[ids[name]], (name, reasons[ids[name]])
    world.left.wire.calm()
    for id in ids.values():
        world.left.post(f"/v1/customers/{id}", description="mended")
    world.run("sync", code=0)
    assert world.ask("SELECT COUNT(*) FROM quarantine") == [(0,)]
    world.agree([*BROKEN, *GOOD])


def test_a_mended_mapping_takes_records_out_without_reading_them_again(world: World) -> None:
    world.seed(2)
    world.left.wire.on_answer = breaking(
        {"C000": lambda record: record.update(balance={"amount": 10}, currency="usd")}
    )
    world.run("sync", code=3)
    (world.folder / "mine.yaml").write_text(
        "customer: {fields: {credit_minor: {path: balance.amount, codec: money_minor}}}\n"
    )
    world.rewrite("    webhook_secret", "    mappings: mine.yaml\n    webhook_secret")
    world.left.wire.asked.clear()
    done = world.run("remap", "left")
    assert "0 set aside" in done.out
    assert world.left.wire.asked == []
    assert world.ask("SELECT COUNT(*) FROM quarantine") == [(0,)]
    world.run("sync")
    assert world.right.names("customer") == ["C000", "C001"]


def test_things_in_a_list_that_are_no_records_do_not_stop_the_page(world: World) -> None:
    world.seed(3)

    def on_answer(method: str, path: str, answer: Answer) -> Answer:
        if path != "/v1/customers" or method != "GET":
            return answer

        def change(record: dict[str, Any]) -> None:
            if record["name"] == "C001":
                del record["object"]
                record["metadata"] = ["no", "object"]

        return edit(answer, change)

    world.left.wire.on_answer = on_answer
    done = world.run("pull", "left")
    assert done.code in (0, 3)
    assert world.ask("SELECT COUNT(*) FROM customer")[0][0] >= 2


def test_an_invoice_with_a_new_status_or_an_odd_amount_is_set_aside(world: World) -> None:
    world.rewrite("    api_key: ${LEFT_KEY}", "    entities: [invoice]\n    api_key: ${LEFT_KEY}")
    world.seed(1)
    customer = world.left.held("customer")[0]["id"]
    for _ in range(6):
        world.left.post("/v1/invoices", customer=customer, currency="usd")
    one, two, three, four = (item["id"] for item in world.left.held("invoice")[:4])
    odd: dict[str, dict[str, Any]] = {
        one: {"status": "in_limbo"},
        two: {"total": "twelve"},
        three: {"total": Decimal("12.5"), "subtotal": Decimal("12.5")},
        four: {"currency": "quatloo"},
    }

    def on_answer(method: str, path: str, answer: Answer) -> Answer:
        if path != "/v1/invoices" or method != "GET":
            return answer
        return edit(answer, lambda record: record.update(odd.get(record["id"], {})))

    world.left.wire.on_answer = on_answer
    world.run("pull", "left", code=3)
    reasons = dict(world.ask("SELECT id, reason FROM quarantine"))
    assert set(reasons) == set(odd)
    assert "status" in reasons[one] and "in_limbo" in reasons[one]
    assert "total" in reasons[two] and "twelve" in reasons[two]
    assert "minor" in reasons[three]
    assert "currency" in reasons[four]
    assert world.ask("SELECT COUNT(*) FROM invoice") == [(2,)]


def test_a_record_that_the_target_refuses_waits_for_a_person(world: World) -> None:
    """The other customers go through, and once it was corrected it follows."""
    world.seed(3)
    refused = {"error": {"type": "invalid_request_error", "param": "email",
                         "code": "email_invalid", "message": "Invalid email address"}}  # fmt: skip

    def refuse(method: str, path: str, number: int) -> Answer | None:
        first = world.right.writes() == 1 and method == "POST"
        return as_json(400, refused) if first else None

    world.right.wire.on_request = refuse
    done = world.run("sync", code=3)
    assert "refused by the provider" in done.out and "Invalid email address" in done.out
    assert len(world.right.held("customer")) == 2
    (operation,) = world.run("ops", "list", "--state", "rejected", "--json", code=0).document
    assert "Invalid email address" in operation["error"]
    assert world.run("status").code == 3
    again = world.run("sync", code=3)
    assert "tieout ops retry" in again.out  # it is not tried again by itself
    assert len(world.right.held("customer")) == 2
    world.left.post(f"/v1/customers/{operation['body']['source_id']}", description="mended")
    world.run("sync", code=0)
    world.agree(["C000", "C001", "C002"])
