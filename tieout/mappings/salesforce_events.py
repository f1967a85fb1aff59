"""Change events as they come decoded from the Pub/Sub API: a whole record only when it is new.

An event of an update tells what changed; what is null in it may well hold something, so such an
event is refused. https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_header.htm
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tieout.core.errors import InvalidRecord

from .shown import shown

Raw = dict[str, Any]
_START = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = {
    "CloseDate", "StartDate", "EndDate", "EffectiveDate", "CustomerSignedDate", "CompanySignedDate",
    "ServiceDate",
}  # fmt: skip


def as_record(event: Raw) -> Raw:
    """The record of an event, as the REST API would tell it. Raises InvalidRecord."""
    header = event["ChangeEventHeader"]
    ids, change = header.get("recordIds") or [], header.get("changeType")
    if change not in ("CREATE", "DELETE") or not isinstance(ids, list) or len(ids) != 1:
        raise InvalidRecord(
            f"is a change event ({shown(change)}), which tells some fields only",
            hint="give the record itself, as the REST API returns it",
        )
    made: Raw = {"attributes": {"type": header.get("entityName")}, "Id": ids[0]}
    if change == "DELETE":
        return {**made, "IsDeleted": True}
    fields = {name: value for name, value in event.items() if name != "ChangeEventHeader"}
    if isinstance(fields.get("Name"), dict):  # of people: FirstName, LastName and so on
        fields |= fields.pop("Name")
    return {**made, **{name: _value(name, value) for name, value in fields.items()}}


def _value(name: str, value: Any) -> Any:
    """Times are milliseconds there, and parts of addresses have capitals."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: part for key, part in value.items()}
    if name.endswith("Date") and isinstance(value, int) and not isinstance(value, bool):
        try:
            at = _START + timedelta(milliseconds=value)
        except OverflowError:
            return value
        return f"{at:%Y-%m-%d}" if name in _DAYS else at.isoformat()
    return value
