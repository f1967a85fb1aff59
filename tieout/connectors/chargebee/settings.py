"""What config.yaml says about a Chargebee site."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from ..base import Settings

CustomField = Annotated[str, StringConstraints(pattern=r"^cf_[A-Za-z0-9_]+$")]
# What a reader could hold against us: 60 % of the 150 calls a minute of the smallest plan.
CALLS_PER_MINUTE = 90


class ChargebeeConfig(Settings):
    """`systems.<name>` of type chargebee."""

    site: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$", description="acme of https://acme.chargebee.com"
    )
    api_key: SecretStr
    webhook_user: str = Field("", description="user name of the webhook's basic authentication")
    webhook_password: SecretStr = SecretStr("")
    base_url: str = Field("", description="default: https://{site}.chargebee.com")
    catalog: Literal["auto", "1", "2"] = Field(
        "auto", description="Product Catalog of the site; auto asks once"
    )
    calls_per_minute: int = Field(
        CALLS_PER_MINUTE, ge=1, le=100_000, description="of the whole site"
    )
    concurrency: int = Field(4, ge=1, le=100, description="calls at once")
    business_entity: str = Field("", description="id, on sites with several business entities")
    suppress_emails: bool = Field(True, description="our writes send no e-mail to customers")
    suppress_webhooks: bool = Field(False, description="our writes send no webhooks")
    suppress_actions: bool = Field(False, description="our writes start no other event actions")
    origin_user: str = Field("", description="e-mail shown as author of our writes")
    key_field: CustomField | None = Field(
        None, description="custom field for our key on invoices, instead of a note"
    )
    item_family: str = Field("", description="item family of new products")
    item_type: Literal["plan", "addon", "charge"] = Field("plan", description="of new products")
    find_days: int = Field(
        90, ge=1, le=3650, description="how far back a lost invoice is looked for"
    )
    feed_days: int = Field(
        7, ge=1, le=60, description="how far back events are checked after a full pull"
    )

    @field_validator("catalog", mode="before")
    @classmethod
    def _catalog_as_text(cls, value: Any) -> Any:
        """YAML reads `catalog: 2` as a number."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("site", mode="before")
    @classmethod
    def _bare_site(cls, value: Any) -> Any:
        """People paste the host name."""
        return value.strip().removesuffix(".chargebee.com") if isinstance(value, str) else value

    @field_validator("api_key")
    @classmethod
    def _has_key(cls, key: SecretStr) -> SecretStr:
        if not key.get_secret_value().strip():
            raise ValueError("is empty: copy a key from Settings > Configure Chargebee > API Keys")
        return key

    @model_validator(mode="after")
    def _whole_webhook_login(self) -> ChargebeeConfig:
        if bool(self.webhook_user) != bool(self.webhook_password.get_secret_value()):
            raise ValueError("webhook_user and webhook_password belong together: give both or none")
        if ":" in self.webhook_user:
            raise ValueError("webhook_user must not hold a colon")
        return self

    @property
    def url(self) -> str:
        base = self.base_url.strip().rstrip("/").removesuffix("/api/v2")
        return base or f"https://{self.site}.chargebee.com"

    @property
    def is_live(self) -> bool:
        """A test site is a site of its own, named `<site>-test`."""
        return not self.site.endswith("-test")
