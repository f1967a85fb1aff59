"""One provider's REST API: sends requests at its pace, repeats what is safe, sorts failures.

What is repeated, and what comes of it (`core/errors.py`):

    not sent (refused, DNS, TLS)      repeated                  then ProviderDown
    429                               repeated after its wait   then RateLimited
    5xx, lost or torn answer, HTML    repeated where safe       then ProviderDown for reads,
                                                                UnknownOutcome for writes
    every other refusal               not repeated              see verdicts.py
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

from tenacity import RetryCallState, Retrying

from tieout.core.errors import (
    ConfigError,
    ProviderDown,
    RateLimited,
    StopRun,
    TieoutError,
    TryLater,
    UnknownOutcome,
)
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest, NotSent, Ports

from . import json as _json
from .auth import Auth
from .pace import Learned, Pace
from .redact import Redactor
from .request import Request, address, as_pairs, checked_base
from .verdicts import Again, Explain, Judge, Refusal, Verdict, by_status, retry_after

log = logging.getLogger("tieout.rest")
T = TypeVar("T")

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
# A wrong base_url stays wrong: the person who mistyped it should not wait for minutes.
HTML_ATTEMPTS, UNREADABLE_ATTEMPTS, UNREACHABLE_ATTEMPTS = 3, 4, 6
# Less than the overlap with which any connector reads changes.
CLOCK_TOLERANCE = timedelta(minutes=5)


class RestClient:
    """Sends `Request`s to one origin. Safe to share between threads.

    base_url       https, or http on this machine.
    auth           None for no credentials.
    pace           shared by all clients of one credential; None for no limit.
    explain        (status, parsed body) -> the provider's own words, for messages.
    judge          may overrule what a refusal means; None leaves it to the status.
    lane           names the pace's lane of a request.
    learn          what any answer's headers say about the credential's pools.
    headers        sent with every request.
    attempts, total_seconds   limits of one `send`, waiting included.
    timeout        (connect, read) of one attempt, in seconds.
    secrets        texts to mask in messages beyond what `auth` knows.
    """

    def __init__(
        self,
        base_url: str,
        *,
        ports: Ports,
        auth: Auth | None = None,
        pace: Pace | None = None,
        explain: Explain = lambda status, body: "",
        judge: Judge = lambda refusal: None,
        lane: Callable[[Request], str] = lambda request: "",
        learn: Callable[[HttpAnswer], Iterable[Learned]] = lambda answer: (),
        headers: Mapping[str, str] | None = None,
        where: str = "",
        attempts: int = 10,
        total_seconds: float = 300.0,
        timeout: tuple[float, float] = (5.0, 30.0),
        secrets: tuple[str, ...] = (),
    ) -> None:
        self.base_url, self.where = checked_base(base_url, where=where), where
        self._ports, self._auth, self._pace = ports, auth, pace or Pace(1e6, 1000, ports=ports)
        self._explain, self._judge, self._lane, self._learn = explain, judge, lane, learn
        self._headers, self._timeout, self._secrets = dict(headers or {}), timeout, secrets
        self._attempts, self._total_seconds = attempts, total_seconds
        self._pace.covers(sum(timeout))

    def send(self, request: Request) -> Any:
        """The answer's JSON, numbers exact; None for an empty answer."""
        return self.read(request, _parsed)

    def send_raw(self, request: Request) -> HttpAnswer:
        """The answer as it is, with its headers."""
        return self.read(request, lambda answer: answer)

    def read(self, request: Request, parse: Callable[[HttpAnswer], T]) -> T:
        """What `parse` makes of the answer. A ValueError from it means a torn answer."""
        return cast(T, _Call(self, request, parse).run())

    def pages(
        self, paging: Generator[Request, Any, None], *, send: Callable[[Request], Any] | None = None
    ) -> Iterator[Any]:
        """Every answer of a paging scheme; `send=client.send_raw` for link headers."""
        send = send or self.send
        try:
            request = next(paging)
            while True:
                answer = send(request)
                yield answer
                request = paging.send(answer)
        except StopIteration:
            return

    def _exchange(self, request: Request) -> HttpAnswer:
        """One attempt, and a second one where a 401 was answered by renewing the login."""
        sent, answer = self._once(request)
        if answer.status == 401 and self._auth and self._auth.renew(sent):
            sent, answer = self._once(request)
        return answer

    def _once(self, request: Request) -> tuple[HttpRequest, HttpAnswer]:
        url = address(self.base_url, request)
        body, kind = request.content()
        headers = {
            **self._headers,
            **({"Content-Type": kind} if kind else {}),
            **dict(as_pairs(request.headers)),
        }
        bare = HttpRequest(request.method, url, headers, body, self._timeout)
        with self._pace.slot(self._lane(request)):
            began = self._ports.monotonic()
            if self._auth:
                headers |= self._auth.headers(bare)
            sent = HttpRequest(request.method, url, headers, body, self._timeout)
            answer = self._ports.send(sent)
            self._pace.learn(self._learn(answer))
        if log.isEnabledFor(logging.DEBUG):
            spent = self._ports.monotonic() - began
            path = request.path.partition("?")[0]
            log.debug("%s %s %s %.3f s", request.method, path, answer.status, spent)
        return sent, answer

    def _verdict(self, request: Request, answer: HttpAnswer) -> tuple[Verdict, float | None]:
        """What a refusal means, and how long the provider wants us to wait."""
        body = _json_or_none(answer)
        wait = retry_after(answer.headers.get("retry-after", ""), self._ports.now())
        refusal = Refusal(request, answer, body, wait)
        verdict = self._judge(refusal) or by_status(refusal, self._explain(answer.status, body))
        if isinstance(verdict.error, RateLimited):
            wait = verdict.error.wait_seconds if wait is None else wait  # what the judge knows
            self._pace.refused(wait)
        return verdict, wait

    def _wrong_clock(self, answer: HttpAnswer) -> ConfigError | None:
        """A clock that is ahead of the provider's would ask for changes since a moment that has
        not come yet there, and miss them without a word. One that is behind only reads more."""
        told = answer.headers.get("date", "")
        if "age" in answer.headers or not told:  # a cache's date is not of now
            return None
        try:
            theirs = parsedate_to_datetime(told)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=UTC)
        ahead = self._ports.now() - theirs
        if ahead <= CLOCK_TOLERANCE:
            return None
        return ConfigError(
            f"this machine's clock is {ahead.total_seconds() / 60:.0f} minutes ahead of theirs",
            hint="set it (NTP), or changes would be missed; then run the command again",
        )

    def _placed(self, error: TieoutError, request: Request) -> TieoutError:
        """With the place filled in and all secrets masked."""
        redact = Redactor((*self._secrets, *(self._auth.secrets() if self._auth else ())))
        path = request.path.partition("?")[0]
        error.message, error.hint = redact(error.message), redact(error.hint)
        error.args = (error.message,)
        error.where = error.where or redact(f"{self.where}: {request.method} {path}".lstrip(": "))
        return error


class _Failed(Exception):
    """One attempt's end: what to raise if it is the last one."""

    def __init__(
        self, error: TieoutError, again: Again, *, wait: float | None = None, limit: int = 10**6
    ) -> None:
        self.error, self.again, self.wait, self.limit = error, again, wait, limit


class _Call:
    """One `read` with its attempts."""

    def __init__(self, client: RestClient, request: Request, parse: Callable[[HttpAnswer], Any]):
        self.client, self.request, self.parse = client, request, parse
        self.limit = request.attempts or client._attempts
        self.began = client._ports.monotonic()
        self.maybe_done = False  # an earlier attempt of a write may have been carried out

    def run(self) -> Any:
        retrying = Retrying(
            retry=self._repeats,
            wait=self._wait,
            stop=self._stops,
            sleep=self.client._ports.sleep,
            reraise=True,
        )
        try:
            return retrying(self._attempt)
        except _Failed as failed:
            raise self._final(failed.error) from None

    def _attempt(self) -> Any:
        try:
            answer = self.client._exchange(self.request)
        except NotSent as error:
            down = ProviderDown(str(error), hint="check base_url and the network")
            raise self._failed(down, Again.ALWAYS, limit=UNREACHABLE_ATTEMPTS) from None
        except AnswerLost as error:
            raise self._failed(ProviderDown(str(error)), Again.IF_SAFE) from None
        except TryLater as error:  # the login server or our own budget: nothing was sent
            wait = getattr(error, "wait_seconds", None)
            raise self._failed(error, Again.ALWAYS, wait=wait) from None
        except StopRun as error:
            raise self._failed(self._oversized(error), Again.NEVER) from None
        except ConfigError as error:
            raise self._failed(error, Again.NEVER) from None
        if not 200 <= answer.status < 300:
            verdict, wait = self.client._verdict(self.request, answer)
            raise self._failed(verdict.error, verdict.again, wait=wait)
        self.client._pace.answered()
        if self.request.is_read and (wrong := self.client._wrong_clock(answer)):
            raise self._failed(wrong, Again.NEVER)
        try:
            return self.parse(answer)
        except ValueError:
            raise self._unreadable(answer) from None

    def _failed(
        self, error: TieoutError, again: Again, *, wait: float | None = None, limit: int = 10**6
    ) -> _Failed:
        self.maybe_done |= again is Again.IF_SAFE and not self.request.is_read
        return _Failed(error, again, wait=wait, limit=limit)

    def _unreadable(self, answer: HttpAnswer) -> _Failed:
        kind = answer.headers.get("content-type", "")
        html = "html" in kind or (answer.body.lstrip()[:1] == b"<" and "xml" not in kind)
        if html:
            message = "answered with HTML, not JSON: is base_url right?"
            hint = "base_url is the address of the API, not of the web pages"
            return self._failed(
                ProviderDown(message, hint=hint), Again.IF_SAFE, limit=HTML_ATTEMPTS
            )
        message = "sent an answer that breaks off or is not JSON"
        if "xml" in kind:
            message = "sent an answer that breaks off or is not what was asked for"
        return self._failed(ProviderDown(message), Again.IF_SAFE, limit=UNREADABLE_ATTEMPTS)

    def _oversized(self, error: StopRun) -> TieoutError:
        return error if self.request.is_read else UnknownOutcome(error.message, hint=error.hint)

    def _repeats(self, state: RetryCallState) -> bool:
        failed = state.outcome and state.outcome.exception()
        if not isinstance(failed, _Failed):
            return False
        safe = failed.again is Again.IF_SAFE and self.request.may_repeat
        # A write that an earlier attempt may have carried out must not be sent once more, even
        # though this attempt was surely refused.
        sure = failed.again is Again.ALWAYS and (self.request.may_repeat or not self.maybe_done)
        return (safe or sure) and state.attempt_number < failed.limit

    def _wait(self, state: RetryCallState) -> float:
        """What the provider asked for; else a random part of a doubling time (full jitter)."""
        failed = state.outcome and state.outcome.exception()
        chance = self.client._ports.random()
        if isinstance(failed, _Failed) and failed.wait is not None:
            return failed.wait + chance
        doubling = FIRST_WAIT_SECONDS * 2.0 ** min(state.attempt_number - 1, 10)
        return chance * min(LONGEST_WAIT_SECONDS, doubling)

    def _stops(self, state: RetryCallState) -> bool:
        spent = self.client._ports.monotonic() - self.began
        late = spent + state.upcoming_sleep > self.client._total_seconds
        return late or state.attempt_number >= self.limit

    def _final(self, error: TieoutError) -> TieoutError:
        if self.maybe_done and isinstance(error, TryLater | ConfigError):
            error = UnknownOutcome(
                f"a write may have been carried out: {error.message}",
                hint="it is looked up before it is tried again",
            )
        return self.client._placed(error, self.request)


def _parsed(answer: HttpAnswer) -> Any:
    return _json.decode(answer.body) if answer.body.strip() else None


def _json_or_none(answer: HttpAnswer) -> Any:
    try:
        return _json.decode(answer.body)
    except ValueError:
        return None
