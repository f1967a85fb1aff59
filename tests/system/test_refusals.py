"""Keys, permissions and addresses that are wrong: which line, which key, what to do."""

from __future__ import annotations

import json
import socket

import pytest
from two_stripes import CANARIES, World
from wire import Answer, as_json

WRONG = "sk_test_CANARYwrongkeyzz99yy88xx77"
DENIED = {
    "error": {
        "type": "invalid_request_error",
        "message": "The provided key 'rk_test_*********' does not have the required permissions "
        "for this endpoint on account 'acct_1'. Having the 'rak_customer_write' permission would "
        "allow this request to continue.",
    }
}


def place(world: World, text: str) -> str:
    """`config.yaml:LINE` of the first line that holds `text`."""
    lines = world.config.read_text().splitlines()
    return f"config.yaml:{next(n for n, line in enumerate(lines, 1) if text in line)}"


@pytest.mark.parametrize("command", [("check",), ("pull",), ("sync",)])
def test_a_wrong_key(world: World, command: tuple[str, ...]) -> None:
    world.seed(1)
    world.env["RIGHT_KEY"] = WRONG
    done = world.run(*command, code=2)
    assert place(world, "  right:") in done.err or place(world, "RIGHT_KEY") in done.err
    assert "systems.right" in done.err
    assert "api_key" in done.err and "401" in done.err
    assert "CANARYwrong" not in done.said
    assert world.right.writes() == 0


def test_a_wrong_key_as_json(world: World) -> None:
    world.env["RIGHT_KEY"] = WRONG
    for command in ("check", "pull", "sync"):
        done = world.run(command, "--json", code=2)
        assert "401" in json.dumps(done.document)


def test_the_right_key_goes_on_where_the_wrong_one_stopped(world: World) -> None:
    world.seed(2)
    world.env["RIGHT_KEY"] = WRONG
    world.run("sync", code=2)
    world.env["RIGHT_KEY"] = CANARIES["RIGHT_KEY"]
    world.run("sync", code=0)
    world.agree(["C000", "C001"])


def test_a_key_that_may_read_but_not_write(world: World) -> None:
    world.seed(2)

    def deny(method: str, path: str, number: int) -> Answer | None:
        return as_json(403, DENIED) if method == "POST" else None

    world.right.wire.on_request = deny
    done = world.run("sync", code=2)
    assert "403" in done.err and "rak_customer_write" in done.err and "systems.right" in done.err
    assert world.right.writes() == 1  # one refusal is enough, the rest waits
    world.right.wire.calm()
    world.run("sync", code=0)
    world.agree(["C000", "C001"])


def test_a_key_that_may_not_read_names_the_permission(world: World) -> None:
    def deny(method: str, path: str, number: int) -> Answer | None:
        return as_json(403, DENIED) if path.startswith("/v1/customers") else None

    world.right.wire.on_request = deny
    done = world.run("check", code=3)
    assert "customer" in done.out and "rak_customer_write" in done.out
    done = world.run("sync", code=2)
    assert "403" in done.err


def test_a_key_that_is_revoked_between_pull_and_write(world: World) -> None:
    world.seed(2)

    def revoked(method: str, path: str, number: int) -> Answer | None:
        if method != "POST":
            return None
        body = {"error": {"type": "invalid_request_error", "message": "Expired API Key provided"}}
        return as_json(401, body)

    world.right.wire.on_request = revoked
    done = world.run("sync", code=2)
    assert "401" in done.err and "api_key" in done.err
    world.right.wire.calm()
    world.run("sync", code=0)
    world.agree(["C000", "C001"])


@pytest.mark.parametrize(
    ("address", "words"),
    [("http://127.0.0.1:{closed}", "refused"), ("https://api.stripe.invalid", "not known")],
)
def test_an_address_where_nobody_answers(world: World, address: str, words: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = taken.getsockname()[1]
    world.rewrite(world.right.url, address.format(closed=closed))
    done = world.run("check", code=1)
    assert words in done.err and "base_url" in done.err and "systems.right" in done.err


def test_a_secret_in_the_file_is_refused_and_not_shown(world: World) -> None:
    line = world.rewrite("${RIGHT_KEY}", CANARIES["RIGHT_KEY"])
    done = world.run("check", code=2)
    assert f"config.yaml:{line}" in done.err and "must not stand in the file" in done.err
    world.rewrite(CANARIES["RIGHT_KEY"], "${RIGHT_KEY}")


def test_two_systems_that_are_one_account_are_refused(world: World) -> None:
    """A key pasted twice would otherwise copy the account's customers into itself."""
    for number in range(2):
        world.left.post("/v1/customers", name=f"N{number}")
    world.rewrite(world.right.url, world.left.url)
    world.env["RIGHT_KEY"] = CANARIES["LEFT_KEY"]
    for _ in range(2):
        done = world.run("sync", code=1)
        assert "read the same account" in done.err and "own key" in done.err
    assert world.left.names("customer") == ["N0", "N1"]
