"""Promises about limits, logins, faults and webhooks."""

from __future__ import annotations

import threading

import pytest

from tieout.connectors.base import Can, Connector, Touched
from tieout.core.errors import (
    AuthError,
    ConfigError,
    RateLimited,
    TieoutError,
)

from .bench import Bench
from .stage import Stage, Webhook, needs


class Guarding(Stage):
    """Limits are waited out, logins renewed, forgeries refused, secrets kept."""

    @needs(Can.GET)
    def test_a_limit_is_waited_out(self, bench: Bench, connector: Connector, entity: str) -> None:
        self.fill(bench, entity)
        id = min(self.held(bench, entity))
        connector.check()
        before = bench.slept
        bench.next("429", times=2)
        try:
            assert connector.get(entity, id) is not None
        except RateLimited as told:  # a provider whose limits are of a day
            assert told.wait_seconds is None or told.wait_seconds > 60
            return
        assert bench.slept > before

    @needs(Can.GET)
    @pytest.mark.parametrize("fault", ["refused", "lost", "torn", "html", "500_before"])
    def test_a_read_that_failed_is_repeated(
        self, bench: Bench, connector: Connector, entity: str, fault: str
    ) -> None:
        self.fill(bench, entity)
        id = min(self.held(bench, entity))
        bench.next(fault)
        assert connector.get(entity, id) is not None

    @needs(Can.GET)
    def test_a_token_that_expired_is_renewed_once_for_all(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        path = type(self).token_path
        if not path:
            pytest.skip("this login needs no token")
        expire = bench.expire_tokens
        assert expire is not None, "give the Bench an `expire_tokens`"
        self.fill(bench, entity)
        ids = sorted(self.held(bench, entity))
        assert connector.get(entity, ids[0]) is not None
        bench.calm()
        expire()
        problems: list[BaseException] = []
        start = threading.Barrier(6)

        def read(id: str) -> None:
            start.wait()
            try:
                assert connector.get(entity, id) is not None
            except BaseException as error:
                problems.append(error)

        threads = [threading.Thread(target=read, args=(ids[n % len(ids)],)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems
        assert bench.count(path=path) == 1

    def test_a_refused_login_says_so(self, bench: Bench, connector: Connector) -> None:
        bench.next("401", times=20)
        with pytest.raises(ConfigError) as told:
            connector.check()
        self.no_secret_in(bench, told.value)

    def no_secret_in(self, bench: Bench, error: TieoutError) -> None:
        told = f"{error.message} {error.where} {error.hint} {error!r}"
        for name, value in self.secrets(bench).items():
            assert value not in told, f"{name} stands in the error"

    def secrets(self, bench: Bench) -> dict[str, str]:
        """The settings that are secret."""
        made = type(self).connector_class.Config.model_validate(self.settings(bench))
        return {
            name: value.get_secret_value()
            for name in type(made).model_fields
            if hasattr(value := getattr(made, name), "get_secret_value")
            and value.get_secret_value()
        }

    def _deliverable(self, bench: Bench) -> Webhook:
        if not any(Can.EVENTS in can for can in type(self).connector_class.can.values()):
            pytest.skip(f"{type(self).connector_class.name} declares no EVENTS")
        return self.webhook(bench)

    def test_a_genuine_webhook_says_what_to_read_again(
        self, bench: Bench, connector: Connector
    ) -> None:
        sent = self._deliverable(bench)
        told = connector.read_webhook(sent.headers, sent.body)
        assert {(each.entity, each.id) for each in told} == sent.touched
        assert all(isinstance(each, Touched) and each.event_id for each in told)

    def test_a_forged_webhook_is_refused(self, bench: Bench, connector: Connector) -> None:
        sent = self._deliverable(bench)
        assert sent.forged
        for headers, body in sent.forged:
            with pytest.raises(AuthError) as told:
                connector.read_webhook(headers, body)
            self.no_secret_in(bench, told.value)

    def test_without_a_secret_no_webhook_is_taken(self, bench: Bench) -> None:
        sent = self._deliverable(bench)
        bare = {name: "" for name in self.webhook_secrets}
        with pytest.raises(ConfigError) as told:
            self.connect(bench, **bare).read_webhook(sent.headers, sent.body)
        # It is not the sender who is wrong: the answer must ask for the delivery to be repeated.
        assert not isinstance(told.value, AuthError)
