"""Several calls in one: composite, batch, graph and tree.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .batches import Collections
from .errors import Refusal, not_found, not_json, wrong_method
from .fields import SObject
from .records import read_object
from .saving import ManyMatches, Org
from .wire import Answer, Request, decode, within

_MOST, _MOST_QUERIES, _MOST_NODES, _MOST_IN_TREE = 25, 5, 500, 200
_RESOURCES = ("batch", "graph", "sobjects", "tree")
_REFERENCE = re.compile(r"@\{([^}]+)\}")
_CAUTION = "The transaction was rolled back since another operation in the same transaction failed."


class _Undo(Exception):
    """Leaves a savepoint, so that what was done in it is undone."""


@dataclass
class Composite:
    """Answers /composite/...; `run` answers one call as if it had come alone."""

    org: Org
    collections: Collections
    run: Callable[[Request], Answer]

    def answer(self, request: Request, version: str, parts: list[str]) -> Answer:
        """`parts` are the segments after `composite`. Raises Refusal."""
        if parts[:1] == ["sobjects"]:
            return self.collections.answer(request, version, parts[1:])
        if request.method in ("GET", "HEAD") and not parts:
            home = f"/services/data/v{version}/composite"
            return Answer(200, {name: f"{home}/{name}" for name in _RESOURCES})
        if request.method != "POST":
            raise wrong_method(request.method, "POST")
        match parts:
            case []:
                return self._composite(request)
            case ["batch"]:
                return self._batch(request)
            case ["graph"]:
                return self._graphs(request)
            case ["tree", name]:
                return self._tree(request, self.org.type(name))
        raise not_found()

    def _composite(self, request: Request) -> Answer:
        body = read_object(request)
        calls = _list(body, "compositeRequest", _MOST)
        heavy = [one for one in calls if re.search(r"/(query|queryAll|composite)\b", _url(one))]
        if len(heavy) > _MOST_QUERIES:
            raise Refusal("LIMIT_EXCEEDED", f"Limit of {_MOST_QUERIES} queries exceeded")
        answers, _ = self._chain(request, calls, all_or_none=bool(body.get("allOrNone")))
        return Answer(200, {"compositeResponse": answers})

    def _chain(
        self, request: Request, calls: list[Any], *, all_or_none: bool
    ) -> tuple[list[dict[str, Any]], bool]:
        """The answers in order, and whether all went well."""
        answers: list[dict[str, Any]] = []
        known: dict[str, Any] = {}
        failed = False
        try:
            with self.org.step():
                for one in calls:
                    answer = (
                        _halted(one) if failed and all_or_none else self._call(request, one, known)
                    )
                    failed = failed or answer["httpStatusCode"] >= 300
                    known[str(one.get("referenceId"))] = answer
                    answers.append(answer)
                if failed and all_or_none:
                    raise _Undo
        except _Undo:
            answers = [
                one if one["httpStatusCode"] >= 300 else _rolled_back(one) for one in answers
            ]
        return answers, not failed

    def _call(self, request: Request, one: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        reference = str(one.get("referenceId") or "")
        try:
            if not reference or reference in known:
                raise Refusal("INVALID_INPUT", f"referenceId missing or repeated: {reference}")
            url = _filled(_url(one), known)
            body = _filled(one.get("body"), known)
            answer = self.run(within(request, str(one.get("method")), url, body))
        except Refusal as refusal:
            answer = refusal.answer
        content = answer.encoded()
        return {
            "body": decode(content) if content else None,
            "httpHeaders": dict(answer.headers),
            "httpStatusCode": answer.status,
            "referenceId": reference,
        }

    def _batch(self, request: Request) -> Answer:
        body = read_object(request)
        results: list[dict[str, Any]] = []
        failed = False
        for one in _list(body, "batchRequests", _MOST):
            if failed and body.get("haltOnError"):
                halted = Refusal("BATCH_PROCESSING_HALTED", "Batch processing halted")
                results.append({"statusCode": 412, "result": halted.answer.content})
                continue
            url = f"/services/data/{_url(one).removeprefix('/services/data/').lstrip('/')}"
            sent = within(request, str(one.get("method")), url, one.get("richInput"))
            answer = self.run(sent)
            failed = failed or answer.status >= 400
            content = answer.encoded()
            results.append(
                {"statusCode": answer.status, "result": decode(content) if content else None}
            )
        return Answer(200, {"hasErrors": failed, "results": results})

    def _graphs(self, request: Request) -> Answer:
        shown = []
        for graph in _list(read_object(request), "graphs", 75):
            calls = _list(graph, "compositeRequest", _MOST_NODES)
            answers, well = self._chain(request, calls, all_or_none=True)
            shown.append(
                {
                    "graphId": graph.get("graphId"),
                    "graphResponse": {"compositeResponse": answers},
                    "isSuccessful": well,
                }
            )
        return Answer(200, {"graphs": shown})

    def _tree(self, request: Request, type: SObject) -> Answer:
        records = _list(read_object(request), "records", _MOST_IN_TREE)
        results: list[dict[str, Any]] = []
        problems: list[dict[str, Any]] = []
        try:
            with self.org.step():
                for record in records:
                    self._plant(type, record, {}, results, problems)
                if len(results) + len(problems) > _MOST_IN_TREE:
                    raise Refusal("INVALID_INPUT", "Only 200 records are allowed in a request.")
                if problems:
                    raise _Undo
        except _Undo:
            return Answer(400, {"hasErrors": True, "results": problems})
        return Answer(201, {"hasErrors": False, "results": results})

    def _plant(
        self,
        type: SObject,
        record: dict[str, Any],
        parent: dict[str, str],
        results: list[dict[str, Any]],
        problems: list[dict[str, Any]],
    ) -> None:
        """One record, then those that stand in its child lists."""
        about = record.get("attributes") or {}
        reference = str(about.get("referenceId") or "")
        children = {
            name: value["records"]
            for name, value in record.items()
            if isinstance(value, dict) and isinstance(value.get("records"), list)
        }
        own = {name: value for name, value in record.items() if name not in children}
        try:
            if about.get("type") != type.name or not reference:
                raise Refusal("INVALID_INPUT", "Include a type and a referenceId", [])
            id = self.org.create(type, own | parent)
        except Refusal as refusal:
            problems.append({"referenceId": reference, "errors": [refusal.as_item()]})
            return
        results.append({"referenceId": reference, "id": id})
        for name, records in children.items():
            child, field = self._relation(type, name)
            for each in records:
                self._plant(child, each, {field: id}, results, problems)

    def _relation(self, type: SObject, name: str) -> tuple[SObject, str]:
        for child in self.org.store.objects.values():
            for one in child.fields.values():
                if type.name in one.refers_to and one.children.lower() == name.lower():
                    return child, one.name
        raise Refusal("INVALID_FIELD", f"No such relation '{name}' on sobject {type.name}")


def as_answer(work: Callable[[], Answer], several: Callable[[ManyMatches], Answer]) -> Answer:
    """The answer of a call, its refusals too."""
    try:
        return work()
    except Refusal as refusal:
        return refusal.answer
    except ManyMatches as found:
        return several(found)


def _list(body: dict[str, Any], name: str, most: int) -> list[Any]:
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise not_json(f"{name} must be a list of objects")
    if len(found) > most:
        raise Refusal("LIMIT_EXCEEDED", f"Limit of {most} sub-requests exceeded")
    return found


def _url(one: dict[str, Any]) -> str:
    return str(one.get("url") or "")


def _halted(one: dict[str, Any]) -> dict[str, Any]:
    return _rolled_back({"referenceId": one.get("referenceId")})


def _rolled_back(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "body": [{"errorCode": "PROCESSING_HALTED", "message": _CAUTION}],
        "httpHeaders": {},
        "httpStatusCode": 400,
        "referenceId": one["referenceId"],
    }


def _filled(value: Any, known: dict[str, Any]) -> Any:
    """`@{ref.path}` replaced by what the earlier answer holds there. Raises Refusal."""
    if isinstance(value, dict):
        return {key: _filled(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, known) for each in value]
    if not isinstance(value, str) or "@{" not in value:
        return value
    return _REFERENCE.sub(lambda found: _looked_up(found.group(1), known), value)


def _looked_up(path: str, known: dict[str, Any]) -> str:
    name, *steps = re.findall(r"[^.\[\]]+", path)
    answer = known.get(name)
    value = answer["body"] if answer and answer["httpStatusCode"] < 300 else None
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = None
    if value is None:
        raise Refusal(
            "PROCESSING_HALTED",
            f"Invalid reference specified. No value for {path} found in {name}",
        )
    return str(value)
