"""The SOAP envelope around an answer, and the fault that is one."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from .soap_errors import Fault
from .soap_words import ENVELOPE, SPACES, XSD, XSI, space
from .wire import Answer


def faulted(version: str, fault: Fault) -> Answer:
    """HTTP 500 with NetSuite's fault element in the detail."""
    made = Element(f"{{{ENVELOPE}}}Fault")
    SubElement(made, "faultcode").text = "soapenv:Server.userException"
    SubElement(made, "faultstring").text = fault.message
    detail = SubElement(made, "detail")
    if fault.name:
        faults = space("faults", version)
        named = SubElement(detail, f"{{{faults}}}{fault.name}")
        SubElement(named, f"{{{faults}}}code").text = fault.code
        SubElement(named, f"{{{faults}}}message").text = fault.message
    return reply(version, made, 500)


def reply(version: str, content: Element, status: int = 200) -> Answer:
    """The answer with this in its Body."""
    for prefix in SPACES:
        register_namespace(prefix, space(prefix, version))
    for prefix, uri in (("soapenv", ENVELOPE), ("xsi", XSI), ("xsd", XSD)):
        register_namespace(prefix, uri)
    envelope = Element(f"{{{ENVELOPE}}}Envelope")
    header = SubElement(envelope, f"{{{ENVELOPE}}}Header")
    messages = space("messages", version)
    document = SubElement(header, f"{{{messages}}}documentInfo")
    SubElement(document, f"{{{messages}}}nsId").text = "WEBSERVICES"
    SubElement(envelope, f"{{{ENVELOPE}}}Body").append(content)
    body = tostring(envelope, encoding="UTF-8", xml_declaration=True)
    return Answer(status, body, kind="soap")
