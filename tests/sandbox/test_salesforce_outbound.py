"""Outbound Messages of the Salesforce stand-in: their shape, the acknowledgement, the retries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree

import pytest
from salesforce_stage import Stage, stage

ACK = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>{}</Ack>'
    "</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)
SOAP = "{http://soap.sforce.com/2005/09/outbound}"
SF = "{urn:sobject.enterprise.soap.sforce.com}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


class Listener:
    """Keeps what was posted; answers as told, one answer after the other, the last for ever."""

    def __init__(self) -> None:
        self.bodies: list[ElementTree.Element] = []
        self.kinds: list[str] = []
        self.answers: list[tuple[int, str]] = [(200, ACK.format("true"))]
        self._came = threading.Condition()
        listener = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answers = listener.answers
                status, text = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())
                with listener._came:
                    listener.kinds.append(self.headers["Content-Type"])
                    listener.bodies.append(ElementTree.fromstring(body))
                    listener._came.notify_all()

            def log_message(self, *words: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks/secret"

    def wait(self, number: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: len(self.bodies) >= number, timeout=5)

    def records(self) -> list[str]:
        """Ids of the records told of, post by post."""
        return [str(each.text) for body in self.bodies for each in body.iter(f"{SF}Id")]

    def notices(self) -> list[str]:
        return [
            str(each.findtext(f"{SOAP}Id"))
            for body in self.bodies
            for each in body.iter(f"{SOAP}Notification")
        ]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.stop()


@pytest.fixture
def org(listener: Listener) -> Iterator[Stage]:
    with stage() as running:
        running.stand_in.send_webhooks_to(
            listener.url, types=["Account"], fields=["Name", "Phone", "SystemModstamp"]
        )
        yield running


def test_a_message_carries_the_fields_as_soap(org: Stage, listener: Listener) -> None:
    id = org.create("Account", Name="Ada & <Co>")
    listener.wait(1)
    body = listener.bodies[0]
    assert listener.kinds[0].startswith("text/xml")
    known = org.stand_in.credentials()["organization_id"]
    assert body.findtext(f".//{SOAP}OrganizationId") == known
    session = body.find(f".//{SOAP}SessionId")
    assert session is not None and session.get(f"{XSI}nil") == "true"
    record = body.find(f".//{SOAP}sObject")
    assert record is not None and record.get(f"{XSI}type") == "sf:Account"
    assert [(each.tag, each.text) for each in record] == [
        (f"{SF}Id", id),
        (f"{SF}Name", "Ada & <Co>"),
        (f"{SF}SystemModstamp", "2026-05-06T12:00:00.000Z"),
    ]
    assert listener.notices()[0].startswith("04l")
    assert org.stand_in.wait_for_webhooks()
    assert org.stand_in.courier.waiting == 0


@pytest.mark.parametrize("answer", [(200, ""), (200, ACK.format("false")), (202, ACK), (500, "")])
def test_what_is_not_acknowledged_comes_again(
    org: Stage, listener: Listener, answer: tuple[int, str]
) -> None:
    listener.answers = [(answer[0], answer[1].replace("{}", "true")), (200, ACK.format("true"))]
    id = org.create("Account", Name="Ada")
    listener.wait(1)
    assert org.stand_in.wait_for_webhooks()
    assert org.stand_in.courier.waiting == 1
    org.call("PATCH", f"/sobjects/Account/{id}", json={"Name": "later"})
    listener.wait(2)
    org.clock.move(15)
    listener.wait(3)
    assert listener.records() == [id, id, id]
    first, second, third = listener.notices()
    assert first == third != second
    assert listener.bodies[2].findtext(f".//{SF}Name") == "later"  # as it is when it is sent


def test_after_a_day_it_is_dropped(org: Stage, listener: Listener) -> None:
    listener.answers = [(503, "")]
    org.create("Account", Name="Ada")
    listener.wait(1)
    assert org.stand_in.wait_for_webhooks()
    for post in range(2, 30):
        if org.stand_in.courier.dropped:
            break
        org.clock.move(7200)
        listener.wait(post)
        assert org.stand_in.wait_for_webhooks()
    assert len(org.stand_in.courier.dropped) == 1
    assert org.stand_in.courier.waiting == 0


def test_up_to_a_hundred_go_together_and_other_types_are_silent(
    org: Stage, listener: Listener
) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": str(n)} for n in range(150)]
    org.call("POST", "/composite/sobjects", json={"records": records})
    org.create("Contact", LastName="silent")
    listener.wait(2)
    assert org.stand_in.wait_for_webhooks()
    sizes = [len(list(body.iter(f"{SOAP}Notification"))) for body in listener.bodies]
    assert sizes == [100, 50]


def test_what_was_rolled_back_is_not_told(org: Stage, listener: Listener) -> None:
    records = [
        {"attributes": {"type": "Account"}, "Name": "a"},
        {"attributes": {"type": "Account"}},
    ]
    org.call("POST", "/composite/sobjects", json={"records": records, "allOrNone": True})
    kept = org.create("Account", Name="kept")
    listener.wait(1)
    assert org.stand_in.wait_for_webhooks()
    assert listener.records() == [kept]


def test_a_deleted_record_arrives_empty(org: Stage, listener: Listener) -> None:
    listener.answers = [(500, ""), (200, ACK.format("true"))]
    id = org.create("Account", Name="Ada")
    listener.wait(1)
    assert org.stand_in.wait_for_webhooks()
    org.call("DELETE", f"/sobjects/Account/{id}")
    org.clock.move(15)
    listener.wait(2)
    record = listener.bodies[1].find(f".//{SOAP}sObject")
    assert record is not None and [each.text for each in record] == [id]


@pytest.mark.parametrize(("fault", "posts"), [("lost_webhook", 0), ("duplicate_webhook", 2)])
def test_faults_lose_and_repeat_messages(listener: Listener, fault: str, posts: int) -> None:
    with stage(faults=f"{fault}@1") as org:
        org.stand_in.send_webhooks_to(listener.url, types=["Account"])
        org.create("Account", Name="a")
        assert org.stand_in.wait_for_webhooks()
        assert len(listener.bodies) == posts
