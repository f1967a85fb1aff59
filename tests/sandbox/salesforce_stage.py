"""A running Salesforce stand-in with simple-salesforce and a plain HTTP session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import jwt
import requests
from simple_salesforce import Salesforce

from tieout.sandbox import Faults, Running, SandboxClock, serve
from tieout.sandbox.salesforce import SalesforceStandIn

START = datetime(2026, 5, 6, 12, tzinfo=UTC)
VERSION = "66.0"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Local(requests.Session):
    """Sends what is meant for https://anything to the stand-in."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = urlsplit(base)

    def request(self, method: str, url: str, **more: Any) -> requests.Response:  # type: ignore[override]
        more.setdefault("timeout", 10)
        parts = urlsplit(url)
        local = (self.base.scheme, self.base.netloc, parts.path, parts.query, "")
        return super().request(method, urlunsplit(local), **more)


@dataclass
class Stage:
    running: Running
    stand_in: SalesforceStandIn
    token: str = ""
    _client: list[Any] = field(default_factory=list)

    @property
    def clock(self) -> SandboxClock:
        return self.stand_in.clock

    @property
    def client(self) -> Any:
        """simple-salesforce in direct mode."""
        if not self._client:
            session = Local(self.running.url)
            self._client.append(
                Salesforce(
                    instance_url="https://x.my.salesforce.com",
                    session_id=self.token,
                    session=session,
                    version=VERSION,
                )
            )
        return self._client[0]

    def assertion(self, **claims: Any) -> str:
        known = self.stand_in.credentials()
        body = {
            "iss": known["client_id"],
            "sub": known["username"],
            "aud": "https://login.salesforce.com",
            "exp": self.clock.timestamp() + 180,
        }
        return jwt.encode(body | claims, known["private_key"], algorithm="RS256")

    def ask_token(self, **form: str) -> requests.Response:
        url = self.running.url + "/services/oauth2/token"
        return requests.post(url, data=form, timeout=10)

    def log_in(self) -> str:
        answer = self.ask_token(grant_type=JWT_GRANT, assertion=self.assertion())
        self.token = str(answer.json()["access_token"])
        return self.token

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """A data call; a path without /services stands below the version."""
        url = path if path.startswith("/services") else f"/services/data/v{VERSION}{path}"
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        return requests.request(method, self.running.url + url, headers=headers, timeout=10, **more)

    def query(self, soql: str, *, everything: bool = False) -> Any:
        path = "/queryAll" if everything else "/query"
        return self.call("GET", path, params={"q": soql}).json()

    def names(self, soql: str, key: str = "Name") -> list[Any]:
        return [record[key] for record in self.query(soql)["records"]]

    def create(self, type: str, **fields: Any) -> str:
        answer = self.call("POST", f"/sobjects/{type}", json=fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def get(self, type: str, id: str) -> Any:
        return self.call("GET", f"/sobjects/{type}/{id}").json()

    def refused(self, answer: requests.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()[0]["errorCode"]


@contextmanager
def stage(faults: str = "", **options: Any) -> Iterator[Stage]:
    stand_in = SalesforceStandIn(SandboxClock(START), **options)
    with serve(stand_in, faults=Faults(faults, name="salesforce")) as running:
        on = Stage(running, stand_in)
        on.log_in()
        yield on
