"""Records that cannot be understood are set aside and shown; the rest of the page goes on."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from two_stripes import World
from wire import Answer, edit

Change = Callable[[dict[str, Any]], None]

BROKEN: dict[str, Change] = {
    "C000": lambda record: record.update(balance="ten"),
    "C001": lambda record: record.update(balance=Decimal("10.5")),
    "C002": lambda record: record.update(created="yesterday"),
    "C003": lambda record: record.update(balance=10**30),
    "C004": lambda record: record.update(deleted="perhaps"),
    "C005": lambda record: record.update(name={"first": "Ada"}),
    "C006": lambda record: record.update(currency="quatloo"),
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
    for name, word in (("C000", "balance"), ("C001", "balance"), ("C002", "created"),
                       ("C004", "deleted"), ("C006", "quatloo")):  # fmt: skip
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
        {"C000": lambda record: record.update(balance={"amount": 10})}
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


def test_a_record_that_the_target_refuses_waits_for_a_person(world: World) -> None:
    """Stripe takes no such e-mail; the other customers go through, and a mended one follows."""
    world.seed(3)
    bad = world.left.held("customer")[0]

    def refuse(method: str, path: str, number: int) -> Answer | None:
        return None

    world.right.wire.on_request = refuse
    world.left.wire.on_answer = breaking(
        {bad["name"]: lambda record: record.update(name="x" * 5000)}
    )
    done = world.run("sync", code=3)
    assert "refused by the provider" in done.out
    assert len(world.right.held("customer")) == 2
    listed = world.run("ops", "list", "--state", "rejected", "--json", code=0).document
    assert len(listed) == 1 and listed[0]["error"]
    assert world.run("status").code == 3
    world.left.wire.calm()
    world.left.post(f"/v1/customers/{bad['id']}", description="mended")
    world.run("sync", code=0)
    world.agree(["C000", "C001", "C002"])
