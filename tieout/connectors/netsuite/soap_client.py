"""One SOAP call: the envelope with a fresh token passport, the answer as zeep's values.

Signed anew for every attempt, since NetSuite takes a nonce only once.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_4395630653.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from tieout.core.errors import ProviderDown, TryLater, UnknownOutcome
from tieout.core.ports import HttpAnswer, Ports
from tieout.rest import Pace, Request, RestClient, TokenBased

from .settings import NetSuiteConfig
from .soap_errors import judge
from .soap_wsdl import Wsdl, load_wsdl

T = TypeVar("T")
_ATTEMPTS = 6
_ALNUM = re.compile(r"[^A-Za-z0-9]")


class SoapClient:
    """One account's SOAP endpoint. Safe to share between threads."""

    def __init__(
        self, settings: NetSuiteConfig, ports: Ports, pace: Pace, *, where: str = ""
    ) -> None:
        self.settings, self._ports, self._where = settings, ports, where
        self.wsdl: Wsdl = load_wsdl(settings.wsdl, where=where)
        self._signer = TokenBased(
            realm=settings.realm,
            consumer_key=settings.consumer_key.strip(),
            consumer_secret=settings.consumer_secret.get_secret_value().strip(),
            token_id=settings.token_id.strip(),
            token_secret=settings.token_secret.get_secret_value().strip(),
            ports=ports,
        )
        self._rest = RestClient(
            settings.url,
            ports=ports,
            pace=pace,
            judge=judge,
            explain=lambda status, body: "",
            headers={"Accept": "text/xml"},
            where=where,
            timeout=(10.0, 300.0),
            total_seconds=900.0,
            secrets=tuple(self._signer.secrets()),
        )

    def make(self, name: str, /, **fields: Any) -> Any:
        """A value of a schema type: `make("RecordRef", internalId="7")`."""
        return self.wsdl.type(name)(**fields)

    def read(self, operation: str, *given: Any, page_size: int = 1000, whole: bool = True) -> Any:
        """The body of an answer to something that changes nothing."""
        if not operation.startswith("search"):
            return self._call(operation, given, reads=True)
        wishes = self.make("SearchPreferences", bodyFieldsOnly=not whole, pageSize=page_size)
        return self._call(operation, given, reads=True, searchPreferences=wishes)

    def write(self, operation: str, *given: Any, settle: Callable[[Any], T]) -> T:
        """What `settle` makes of the answer, which raises what a record's status says.

        Tried again where NetSuite says that nothing was saved: a limit, or somebody's edit.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            answer = self._call(operation, given, reads=False)
            try:
                return settle(answer)
            except ProviderDown as error:
                raise UnknownOutcome(
                    f"a write may have been carried out: {error.message}",
                    where=f"{self._where}: {operation}".lstrip(": "),
                    hint="it is looked up before it is tried again",
                ) from None
            except TryLater:
                if attempt == _ATTEMPTS:
                    raise
                self._ports.sleep(self._ports.random() * 2.0**attempt)
        raise AssertionError("unreachable")

    def _call(self, operation: str, given: tuple[Any, ...], *, reads: bool, **headers: Any) -> Any:
        called = self.wsdl.binding.get(operation)

        def envelope() -> bytes:
            passport = {"tokenPassport": self._passport(), **headers}
            made = called.create(*given, _soapheaders=passport)
            return _text(made.content)

        asked = Request(
            "POST",
            f"/services/NetSuitePort_{self.wsdl.version}",
            body=envelope,
            headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation}"'},
            reads=reads,
        )
        return self._rest.read(asked, lambda answer: self._parsed(called, answer))

    def _parsed(self, called: Any, answer: HttpAnswer) -> Any:
        """ValueError where the answer is torn or no envelope: lxml must not mend it."""
        from lxml import etree

        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, remove_comments=True, load_dtd=False
        )
        try:
            root = etree.fromstring(answer.body, parser=parser)
        except etree.XMLSyntaxError:
            raise ValueError("this is no XML") from None
        strange = root.getroottree().docinfo.doctype or root.find("{*}Body/{*}Fault") is not None
        if strange or not str(root.tag).endswith("}Envelope"):
            raise ValueError("this is no answer to the call")
        with self.wsdl.client.settings(strict=False):
            found = called.process_reply(root)
        return getattr(found, "body", found)

    def _passport(self) -> Any:
        nonce = _ALNUM.sub("", self._ports.new_id())[-64:].rjust(20, "0")
        stamp = str(int(self._ports.now().timestamp()))
        settings = self.settings
        signed = (
            settings.realm, settings.consumer_key.strip(), settings.token_id.strip(), nonce, stamp
        )  # fmt: skip
        base = "&".join(quote(each, safe="-._~") for each in signed)
        signature = self.make(
            "TokenPassportSignature", _value_1=self._signer.sign(base), algorithm="HMAC-SHA256"
        )
        names = ("account", "consumerKey", "token", "nonce", "timestamp")
        return self.make(
            "TokenPassport", **dict(zip(names, signed, strict=True)), signature=signature
        )


def _text(envelope: Any) -> bytes:
    from lxml import etree

    return bytes(etree.tostring(envelope, encoding="utf-8", xml_declaration=True))
