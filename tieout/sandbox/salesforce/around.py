"""Small resources around records: layouts, list views, counts, query plans.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_list.htm
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .errors import not_found
from .fields import SObject
from .querying import Queries
from .soql import parse
from .store import Store

MASTER = "012000000000000AAA"


def record_counts(store: Store, names: str) -> dict[str, Any]:
    """/limits/recordCount: without deleted records; an unknown object is left out."""
    wanted = {name.strip().lower() for name in names.split(",") if name.strip()}
    shown = []
    for one in store.objects.values():
        if wanted and one.name.lower() not in wanted:
            continue
        sql = f'SELECT count(*) FROM "{one.name}" WHERE _deleted IS NULL'
        shown.append({"count": store.db.execute(sql).fetchone()[0], "name": one.name})
    return {"sObjects": shown}


def query_plan(queries: Queries, text: str) -> dict[str, Any]:
    """/query?explain=: the plan of a query that is not run. Raises Refusal."""
    query = parse(text)
    select = queries.compiler(all_rows=False).compile(query)
    counted = queries.store.db.execute(
        f"SELECT count(*) {select.source} WHERE {select.where}", select.params
    ).fetchone()[0]
    type = select.root.type
    plan = {
        "cardinality": counted,
        "fields": [],
        "leadingOperationType": "TableScan",
        "notes": [],
        "relativeCost": Decimal("1.0"),
        "sobjectCardinality": queries.store.count(type),
        "sobjectType": type.name,
    }
    return {"plans": [plan], "sourceQuery": text}


def layout_part(type: SObject, version: str, parts: list[str]) -> dict[str, Any]:
    """/sobjects/{name}/describe/...: what stands where on a page. Raises Refusal."""
    home = f"/services/data/v{version}/sobjects/{type.name}/describe"
    match parts:
        case ["layouts"]:
            mapping = {
                "available": True,
                "defaultRecordTypeMapping": True,
                "developerName": "Master",
                "layoutId": MASTER,
                "master": True,
                "name": "Master",
                "picklistsForRecordType": None,
                "recordTypeId": MASTER,
                "urls": {"layout": f"{home}/layouts/{MASTER}"},
            }
            return {
                "layouts": [_layout(type)],
                "recordTypeMappings": [mapping],
                "recordTypeSelectorRequired": [False],
            }
        case ["layouts", id] if id[:15] == MASTER[:15]:
            return _layout(type)
        case ["compactLayouts"]:
            return {
                "compactLayouts": [],
                "defaultCompactLayoutId": None,
                "recordTypeCompactLayoutMappings": [],
                "urls": {"primary": f"{home}/compactLayouts/primary"},
            }
        case ["approvalLayouts"]:
            return {"approvalLayouts": []}
    raise not_found()


def _layout(type: SObject) -> dict[str, Any]:
    """One section with every field in its own row."""
    rows = [_row(one.name, one.label, one.updateable) for one in type.fields.values()]
    section = {
        "collapsed": False,
        "columns": 1,
        "heading": f"{type.label} Information",
        "layoutRows": rows,
        "layoutSectionId": None,
        "parentLayoutId": MASTER,
        "rows": len(rows),
        "tabOrder": "LeftToRight",
        "useCollapsibleSection": False,
        "useHeading": False,
    }
    return {
        "buttonLayoutSection": {"detailButtons": []},
        "detailLayoutSections": [section],
        "editLayoutSections": [section],
        "feedView": None,
        "highlightsPanelLayoutSection": None,
        "id": MASTER,
        "multirowEditLayoutSections": [],
        "offlineLinks": [],
        "quickActionList": {"quickActionListItems": []},
        "relatedContent": None,
        "relatedLists": [],
        "saveOptions": [],
    }


def _row(name: str, label: str, editable: bool) -> dict[str, Any]:
    component = {"displayLines": 1, "tabOrder": 1, "type": "Field", "value": name}
    item = {
        "editableForNew": editable,
        "editableForUpdate": editable,
        "label": label,
        "layoutComponents": [component],
        "placeholder": False,
        "required": False,
    }
    return {"layoutItems": [item], "numItems": 1}


def list_views(type: SObject, version: str) -> dict[str, Any]:
    """/sobjects/{name}/listviews: nobody has made one."""
    return {"done": True, "listviews": [], "nextRecordsUrl": None, "size": 0,
            "sobjectType": type.name}  # fmt: skip
