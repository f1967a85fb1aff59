"""What `describe` says of the org's objects and their fields.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
"""

from __future__ import annotations

from typing import Any

from .fields import Field, SObject
from .store import Store

_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "currency": "xsd:double",
    "double": "xsd:double",
    "percent": "xsd:double",
    "address": "urn:address",
}
_LINKS = ("compactLayouts", "approvalLayouts", "listviews", "quickActions", "layouts")


def brief(one: SObject, version: str) -> dict[str, Any]:
    """One entry of the global describe."""
    home = f"/services/data/v{version}/sobjects/{one.name}"
    urls = {
        name: f"{home}/describe/{name}" if name.endswith("ayouts") else f"{home}/{name}"
        for name in _LINKS
    }
    urls |= {"rowTemplate": f"{home}/{{ID}}", "describe": f"{home}/describe", "sobject": home}
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": one.createable,
        "custom": one.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": one.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": one.prefix,
        "label": one.label,
        "labelPlural": one.plural,
        "layoutable": one.createable,
        "mergeable": one.mergeable,
        "mruEnabled": one.createable,
        "name": one.name,
        "queryable": True,
        "replicateable": one.replicateable,
        "retrieveable": True,
        "searchable": one.createable,
        "triggerable": one.createable,
        "undeletable": one.undeletable,
        "updateable": one.updateable,
        "urls": urls,
    }


def full(store: Store, one: SObject, version: str) -> dict[str, Any]:
    """The describe of one object."""
    home = f"/services/data/v{version}/sobjects/{one.name}/describe"
    return {
        "actionOverrides": [],
        **brief(one, version),
        "childRelationships": _children(store, one),
        "compactLayoutable": True,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [described(each, one) for each in one.fields.values()],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [
            {
                "active": True,
                "available": True,
                "defaultRecordTypeMapping": True,
                "developerName": "Master",
                "master": True,
                "name": "Master",
                "recordTypeId": "012000000000000AAA",
                "urls": {"layout": f"{home}/layouts/012000000000000AAA"},
            }
        ],
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {one.plural.lower()}", "name": "everything"}],
    }


def _children(store: Store, one: SObject) -> list[dict[str, Any]]:
    return [
        {
            "cascadeDelete": field.cascade,
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": field.children or None,
            "restrictedDelete": False,
        }
        for child in store.objects.values()
        for field in child.fields.values()
        if one.name in field.refers_to
    ]


def described(one: Field, owner: SObject) -> dict[str, Any]:
    """One field of a describe."""
    long_text = one.type == "textarea" and one.length > 255
    sortable = not long_text and one.type != "address"
    countable = one.type not in ("boolean", "address") and not long_text
    return {
        "aggregatable": countable,
        "aiPredictionField": False,
        "autoNumber": bool(one.auto_number),
        "byteLength": one.length if one.type in ("id", "reference") else one.length * 3,
        "calculated": one.formula,
        "calculatedFormula": None,
        "cascadeDelete": one.cascade,
        "caseSensitive": one.case_sensitive,
        "compoundFieldName": one.compound or ("Name" if _is_person_name(one, owner) else None),
        "controllerName": None,
        "createable": one.createable and not one.columns,
        "custom": one.custom,
        "defaultValue": False if one.type == "boolean" else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": _defaulted(one),
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 8 if one.type == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": one.external_id,
        "extraTypeInfo": _extra(one, owner),
        "filterable": one.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": (countable and one.type not in ("currency", "double", "percent", "datetime"))
        or one.type == "boolean",
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": one.id_lookup,
        "inlineHelpText": None,
        "label": f"{owner.label} ID" if one.type == "id" else one.label,
        "length": one.length,
        "mask": None,
        "maskType": None,
        "name": one.name,
        "nameField": one.name_field,
        "namePointing": False,
        "nillable": one.nillable,
        "permissionable": one.nillable and (one.createable or bool(one.columns)),
        "picklistValues": [_choice(value, one) for value in one.values],
        "polymorphicForeignKey": len(one.refers_to) > 1,
        "precision": one.precision,
        "queryByDistance": bool(one.columns),
        "referenceTargetField": None,
        "referenceTo": list(one.refers_to),
        "relationshipName": one.relationship or None,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": one.restricted,
        "scale": one.scale,
        "searchPrefilterable": one.type == "reference" and one.nillable and one.createable,
        "soapType": _SOAP.get(one.type, "xsd:string"),
        "sortable": sortable,
        "type": one.type,
        "unique": one.unique,
        "updateable": one.updateable and not one.columns,
        "writeRequiresMasterRead": False,
    }


def _is_person_name(one: Field, owner: SObject) -> bool:
    return one.name in ("FirstName", "LastName", "Salutation") and "Name" in owner.fields


def _defaulted(one: Field) -> bool:
    system = one.type == "id" or (not one.nillable and not one.createable)
    return system or one.type == "boolean" or one.default is not None


def _extra(one: Field, owner: SObject) -> str | None:
    if one.type == "textarea":
        return "plaintextarea"
    if owner.name == "Account" and one.name == "Name":
        return "switchablepersonname"
    return "imageurl" if one.name == "PhotoUrl" else None


def _choice(value: str, one: Field) -> dict[str, Any]:
    return {
        "active": True,
        "defaultValue": value == one.default,
        "label": value,
        "validFor": None,
        "value": value,
    }
