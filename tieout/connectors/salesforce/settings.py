"""What config.yaml says about a Salesforce org."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from ..base import Settings
from .ids import is_id, long_id

# These stand in queries as they are, so nothing but names may get through.
ApiName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")]
FieldPath = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}(\.[A-Za-z][A-Za-z0-9_]{0,79})?$")
]
Entity = Literal[
    "customer", "contact", "product", "price", "opportunity", "contract",
    "invoice", "payment", "credit_note",
]  # fmt: skip
Billing = Literal["invoice", "payment", "credit_note"]

LOGIN, TEST = "https://login.salesforce.com", "https://test.salesforce.com"
_SANDBOXES = (".sandbox.", ".scratch.")


class BillingObject(Settings):
    """The object of this org that holds one kind of billing record."""

    object: ApiName = Field(description="its API name, such as TieOut_Invoice__c")
    fields: tuple[FieldPath, ...] = Field((), description="what to read; default: our own fields")
    key_field: ApiName | None = Field(None, description="external id; default: `key_field` above")


class SalesforceConfig(Settings):
    """JWT bearer (username and private_key) or client credentials (client_secret); JWT bearer
    where both are given."""

    client_id: str = Field(min_length=1, description="consumer key of the external client app")
    client_secret: SecretStr = SecretStr("")
    username: str = Field("", description="the integration user (JWT bearer)")
    private_key: SecretStr = Field(SecretStr(""), description="PEM of the app's certificate's key")
    base_url: str = Field(LOGIN, description="where to log in: My Domain, or login or test")
    audience: str = Field("", description="of the JWT; default: login or test, by base_url")
    organization_id: str = Field("", description="00D...: refuse to work with another org")
    webhook_token: SecretStr = Field(SecretStr(""), description="secret part of the webhook's URL")
    api_version: str = Field("66.0", pattern=r"^\d{2,3}\.0$")
    key_field: ApiName = Field("TieOut_Id__c", description="external id field that holds our key")
    bulk_from: int = Field(10_000, ge=1, description="rows from which Bulk API 2.0 is used")
    bulk_page: int = Field(5_000, ge=100, le=50_000, description="rows of one bulk answer")
    bulk_minutes: int = Field(60, ge=1, le=1440, description="how long to wait for a bulk job")
    page_size: int = Field(2_000, ge=200, le=2_000, description="rows of one query answer")
    overlap_seconds: int = Field(600, ge=60, le=86_400, description="what a window reaches back")
    daily_share_percent: int = Field(
        100, ge=1, le=100, description="of the org's daily calls; of these, reserve_percent is left"
    )
    calls_per_second: float = Field(20.0, gt=0, le=1000)
    concurrency: int = Field(4, ge=1, le=25, description="calls at once; small orgs allow 5")
    fields: dict[Entity, tuple[FieldPath, ...]] = Field({}, description="further fields to read")
    objects: dict[Billing, BillingObject] = Field({}, description="where billing records are kept")
    pricebook_id: str = Field("", description="price book of new prices; default: the standard one")

    @field_validator("organization_id", "pricebook_id")
    @classmethod
    def _is_record_id(cls, value: str) -> str:
        value = value.strip()
        if value and not is_id(value):
            raise ValueError("a Salesforce id has 15 or 18 letters and digits")
        return long_id(value)

    @model_validator(mode="after")
    def _one_login(self) -> SalesforceConfig:
        key = self.private_key.get_secret_value().strip()
        secret = self.client_secret.get_secret_value().strip()
        if bool(self.username.strip()) != bool(key) and not secret:
            raise ValueError("JWT bearer needs both username and private_key")
        if not self.has_jwt and not secret:
            raise ValueError("needs username and private_key, or client_secret")
        host = (urlsplit(self.base_url).hostname or "").lower()
        if not self.has_jwt and f"https://{host}" in (LOGIN, TEST):
            raise ValueError(
                "client credentials work only at the org's own address: set base_url to its "
                "My Domain, such as https://acme.my.salesforce.com"
            )
        return self

    @property
    def has_jwt(self) -> bool:
        """Whether the JWT bearer login is given in full."""
        return bool(self.username.strip() and self.private_key.get_secret_value().strip())

    @property
    def jwt_audience(self) -> str:
        """Production and developer orgs: login; sandboxes and scratch orgs: test."""
        if self.audience:
            return self.audience
        host = (urlsplit(self.base_url).hostname or "").lower()
        test = f"https://{host}" == TEST or any(each in host for each in _SANDBOXES)
        return TEST if test else LOGIN

    @property
    def data(self) -> str:
        """Where the REST API starts on the org's host."""
        return f"/services/data/v{self.api_version}"
