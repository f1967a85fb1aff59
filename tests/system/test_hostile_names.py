"""What customers call themselves reaches the terminal harmless, and the store as it is."""

from __future__ import annotations

import json
import re

from two_stripes import World
from wire import Answer, as_json

NAMES = [
    "\x1b[2J\x1b]0;owned\x07red\x1b[31m",
    "line\nbreak\r\x08\x08\x08over",
    "\u202eevil\u202c \u2066isolate\u2069",
    "=cmd|' /C calc'!A1",
    "[bold]not markup[/bold] [link=http://x]",
    "zero\u200bwidth \u2028 paragraph \x85 c1 \x9b31m",
    "<script>alert(1)</script>",
    "Zoë 東京 🦊",
]
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def test_no_name_acts_on_the_terminal(world: World) -> None:
    for number, name in enumerate(NAMES):
        world.left.post("/v1/customers", name=name, email=f"c{number}@a.test")
    world.run("sync", code=0)
    assert world.right.names("customer") == sorted(NAMES)
    assert {name for (name,) in world.ask("SELECT name FROM customer")} == set(NAMES)
    for item in world.left.held("customer"):
        world.left.post(f"/v1/customers/{item['id']}", name=item["name"] + "!")
    first = world.left.held("customer")[-1]
    assert "\x1b" in first["name"]
    for words in (("pull",), ("plan",), ("reconcile",), ("breaks", "list"), ("apply",),
                  ("ops", "list"), ("history", "left", "customer", first["id"])):  # fmt: skip
        world.run(*words)
    for text in world.said:
        assert not HARMFUL.search(text), repr(text)
    assert any("evil" in text for text in world.said)
    assert any("[bold]not markup[/bold]" in text for text in world.said)


def test_names_in_json_are_exact(world: World) -> None:
    for number, name in enumerate(NAMES):
        world.left.post("/v1/customers", name=name, email=f"c{number}@a.test")
    world.run("pull", code=0)
    plan = world.run("plan", "--json", code=0)
    assert {item["write"]["name"] for item in plan.document["items"]} == set(NAMES)


def test_a_providers_error_text_is_harmless_too(world: World) -> None:
    world.seed(1)
    text = "\x1b[2Jno such\r\nthing \u202e" + world.env["RIGHT_KEY"]
    error = {"error": {"type": "invalid_request_error", "message": text, "code": "\x1b[31m"}}

    def refuse(method: str, path: str, number: int) -> Answer | None:
        return as_json(400, error) if method == "POST" else None

    world.right.wire.on_request = refuse
    world.run("sync", code=3)
    world.run("ops", "list")
    listed = world.run("ops", "list", "--json").document
    world.run("plan")
    for said in world.said:
        assert not HARMFUL.search(said.replace(json.dumps(listed), "")), repr(said)
    assert "no such" in listed[0]["error"]


def test_an_id_that_is_no_id(world: World) -> None:
    """Ids travel into paths, SQL and the terminal."""
    id = "cus_'; DROP TABLE customer;--\x1b[31m/../..?x=1#%2e"
    item = {"object": "customer", "id": id, "name": "Odd", "email": None,
            "created": 1_700_000_000, "livemode": False, "metadata": {}}  # fmt: skip
    world.left.wire.load([("customer", item)])
    done = world.run("sync")
    assert done.code in (0, 3)
    assert world.ask("SELECT COUNT(*) FROM customer WHERE system = 'left'") in ([(1,)], [(0,)])
    for words in (("status",), ("links", "list"), ("history", "left", "customer", id)):
        world.run(*words)
    for said in world.said:
        assert not HARMFUL.search(said), repr(said)
