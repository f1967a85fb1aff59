"""Providers that fail in every way: waited out, looked up, or said plainly; never done twice."""

from __future__ import annotations

import pytest
from two_stripes import World
from wire import Answer, as_json

BOTH = ["C000", "C001"]


WRITE_FAULTS = (
    "500_before@1@POST,502@3@POST,html@5@POST,lost_answer@7@POST,torn@9@POST,closed@11@POST,"
    "429:0@13..15@POST,503:0@17@POST,429@19@POST"
)
READ_FAULTS = "500_before@1@GET,torn@3@GET,html@5@GET,lost_answer@7@GET,429:0@9..10@GET"


def test_writes_that_go_wrong_in_nine_ways_are_made_once(world: World) -> None:
    """Each fault hits a write, and the next attempt goes through."""
    world.seed(10)
    world.right.faults.load(WRITE_FAULTS)
    world.run("sync", code=0)
    assert sum(world.right.faults.log.values()) == 11
    world.right.faults.clear()
    world.agree([f"C{number:03}" for number in range(10)])


def test_reads_that_go_wrong_in_five_ways_are_read_again(world: World) -> None:
    """The second pull reads the event feed, then each record that it names."""
    world.seed(5)
    world.run("sync", code=0)
    for item in world.left.held("customer"):
        world.left.post(f"/v1/customers/{item['id']}", name=item["name"] + "!")
    world.left.faults.load(READ_FAULTS)
    world.run("sync", code=0)
    assert sum(world.left.faults.log.values()) == 6
    world.agree([f"C{number:03}!" for number in range(5)])


def test_a_gateway_that_gives_up_on_a_write_that_took_place(world: World) -> None:
    """504: whatever the same key brings the second time, the record is made once."""
    world.seed(2)
    world.right.faults.load("504@1@POST")
    assert world.run("sync").code in (0, 3)
    assert world.right.faults.log == {"504": 1}
    world.right.faults.clear()
    world.run("sync", code=0)
    world.agree(BOTH)


def test_an_answer_that_is_lost_while_the_key_is_kept_is_settled_at_once(world: World) -> None:
    """Stripe repeats its 500 for the same key; the record was made, and is found."""
    world.seed(2)
    world.right.faults.load("500_after@1@POST")
    assert world.run("sync").code in (0, 3)
    world.right.faults.clear()
    world.run("sync", code=0)
    world.agree(BOTH)


def test_an_outcome_that_stays_unknown_is_looked_up_by_the_next_run(world: World) -> None:
    """The write took place, the answer forbids to ask again: a person sees it until it is found."""
    world.seed(2)

    def spoilt(method: str, path: str, answer: Answer) -> Answer:
        if method != "POST" or world.right.writes() != 1:
            return answer
        down = {"error": {"type": "api_error", "message": "down"}}
        return as_json(503, down, Stripe_Should_Retry="false")

    world.right.wire.on_answer = spoilt
    first = world.run("sync", code=3)
    assert "unknown outcome" in first.out
    assert world.run("status").code == 3
    world.right.wire.on_answer = None
    second = world.run("sync", code=0)
    assert "found to have taken place before" in second.out
    world.agree(BOTH)


def test_a_provider_that_stays_behind_html_is_named(world: World) -> None:
    world.seed(1)
    world.left.faults.load("html")
    done = world.run("sync", code=1)
    assert "HTML" in done.err and "base_url" in done.err and "systems.left" in done.err
    assert world.right.writes() == 0
    world.left.faults.clear()
    world.run("sync", code=0)
    world.agree(["C000"])


def test_one_provider_down_keeps_what_the_other_gave(world: World) -> None:
    world.seed(2)
    world.right.wire.on_request = lambda method, path, number: as_json(
        500, {"error": {"message": "no", "type": "api_error"}}, Stripe_Should_Retry="false"
    )
    done = world.run("sync", code=1)
    assert "systems.right" in done.err
    assert world.ask("SELECT COUNT(*) FROM customer WHERE system = 'left'") == [(2,)]
    world.right.wire.calm()
    world.run("sync", code=0)
    world.agree(BOTH)


def test_a_pull_that_broke_off_goes_on_at_its_last_page(world: World) -> None:
    """250 customers are three pages; the third fails, and only it is asked for again."""
    items = [{"object": "customer", "id": f"cus_{n:04}", "name": f"N{n}", "email": None,
              "created": 1_700_000_000 + n, "livemode": False, "metadata": {}}
             for n in range(250)]  # fmt: skip
    world.left.wire.load(("customer", item) for item in items)

    def third_fails(method: str, path: str, number: int) -> Answer | None:
        if path == "/v1/customers" and number == 3:
            return as_json(
                503, {"error": {"message": "no", "type": "api_error"}}, Stripe_Should_Retry="false"
            )
        return None

    world.left.wire.on_request = third_fails
    world.run("pull", "left", "--entity", "customer", code=1)
    assert world.ask("SELECT COUNT(*) FROM customer") == [(200,)]
    world.left.wire.calm()
    world.run("pull", "left", "--entity", "customer", code=0)
    assert world.ask("SELECT COUNT(*) FROM customer") == [(250,)]
    asked = [path for _, path in world.left.wire.asked]
    assert asked == ["/v1/customers", "/v1/events"]  # one page more, and the second look


def test_a_storm_of_refusals_ends_with_a_sentence_and_the_next_run_goes_on(world: World) -> None:
    """A Retry-After of ten minutes is longer than a run waits: it says so at once."""
    world.seed(1)
    world.left.faults.load("429:600")
    done = world.run("sync", code=1)
    assert "429" in done.err and "systems.left" in done.err
    world.left.faults.clear()
    world.left.wire.calm()
    done = world.run("sync", code=1)
    assert "until" in done.err and world.left.wire.asked == []  # nobody calls before the time
    assert "left: paused until" in world.run("status").out
    world.run("check", code=0)  # a person finds that it works again
    world.run("sync", code=0)
    world.agree(["C000"])


@pytest.mark.parametrize(
    "body",
    ["null", '{"object":"list","data":[null,1,"x",[],{}],"has_more":false}', "[" * 100_000],
    ids=["null", "no_records", "deep"],
)
def test_json_that_is_no_list_is_no_crash_and_no_deletion(world: World, body: str) -> None:
    """200 with something else than a page: named or set aside, and nothing is written."""
    answer = (200, {"Content-Type": "application/json"}, body.encode())
    world.left.wire.on_request = lambda method, path, number: answer

    done = world.run("pull", "left", "--entity", "customer")
    assert done.code in (1, 3), done
    assert "left" in done.said
    assert world.ask("SELECT COUNT(*) FROM customer") == [(0,)]
