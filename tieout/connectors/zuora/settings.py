"""What config.yaml says about a Zuora tenant, and where tenants live."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator

from ..base import Settings

# https://developer.zuora.com/docs/guides/rate-limits and the servers of Zuora's API description.
DATA_CENTRES = {
    "rest.na.zuora.com": "US Cloud 1 production",
    "rest.zuora.com": "US Cloud 2 production",
    "rest.eu.zuora.com": "EU production",
    "rest.ap.zuora.com": "APAC production",
    "rest.sandbox.na.zuora.com": "US Cloud 1 API sandbox",
    "rest.apisandbox.zuora.com": "US Cloud 2 API sandbox",
    "rest.sandbox.eu.zuora.com": "EU API sandbox",
    "rest.test.zuora.com": "US central sandbox",
    "rest.test.eu.zuora.com": "EU central sandbox",
    "rest.test.ap.zuora.com": "APAC central sandbox",
}
LOCAL = ("127.0.0.1", "localhost", "::1")

# These stand in queries as they are, so nothing but a field name may get through.
CustomField = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,60}__(c|NS|QT)$")]
Switch = Literal["auto", "yes", "no"]


class ZuoraConfig(Settings):
    """`systems.<name>` of type zuora. `base_url` is the REST address of the data centre."""

    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    base_url: str
    webhook_user: str = Field("tieout", description="user name of the callouts' basic login")
    webhook_password: SecretStr = SecretStr("")
    webhook_hmac_secret: SecretStr = SecretStr("")
    webhook_hmac_header: str = Field(
        "X-Zuora-Signature", description="the header that the callout template puts the HMAC in"
    )
    entity_id: str = Field("", description="UUID of the entity, in a multi-entity tenant")
    org_ids: tuple[str, ...] = Field((), description="organisations, in a multi-org tenant")
    api_version: str = Field("2025-08-12", pattern=r"^(\d{4}-\d\d-\d\d|\d{3}\.0)$")
    invoice_settlement: Switch = "auto"
    orders: Switch = "auto"
    data_query: Switch = "auto"
    data_source: Literal["LIVE", "WAREHOUSE"] = "LIVE"
    bulk_from: int = Field(2000, ge=0, description="records from which Data Query reads on")
    bulk_rows: int = Field(100_000, ge=2, le=10_000_000, description="rows that one query gives")
    page_size: int = Field(50, ge=2, le=99)
    overlap_minutes: int = Field(10, ge=1, le=1440)
    concurrency: int = Field(4, ge=1, le=80)
    calls_per_minute: int | None = Field(None, gt=0)
    calls_per_day: int | None = Field(None, gt=0)
    key_field: CustomField | None = Field(
        None, description="an indexed custom field for our key, on every object that is written"
    )
    cancel_policy: Literal["EndOfCurrentTerm", "EndOfLastInvoicePeriod", "SpecificDate"] = (
        "EndOfCurrentTerm"
    )

    @field_validator("base_url")
    @classmethod
    def _is_rest_address(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        host = _host(value)
        if not host or (host.endswith("zuora.com") and not host.startswith("rest.")):
            raise ValueError(
                f"{value!r} is not a data centre's REST address. Known are: " + known_addresses()
            )
        return value.removesuffix("/v1")

    @property
    def host(self) -> str:
        return _host(self.base_url)

    @property
    def is_local(self) -> bool:
        return self.host in LOCAL

    @property
    def live(self) -> bool | None:
        """Whether this is a production tenant; None where the address tells nothing."""
        told = DATA_CENTRES.get(self.host, "")
        return None if not told else told.endswith("production")

    @property
    def minute_calls(self) -> int:
        """A tenth of what the tenant may: the limit is shared with the UI and all others."""
        if self.calls_per_minute:
            return self.calls_per_minute
        return 250 if "API sandbox" in DATA_CENTRES.get(self.host, "") else 5000

    @property
    def day_calls(self) -> int | None:
        """An API sandbox allows 10,000 calls a day, all integrations together."""
        if self.calls_per_day:
            return self.calls_per_day
        return 8000 if "API sandbox" in DATA_CENTRES.get(self.host, "") else None


def known_addresses() -> str:
    """For messages: every known address with its name."""
    return ", ".join(f"https://{host} ({name})" for host, name in DATA_CENTRES.items())


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
