"""What config.yaml says about a NetSuite account."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from ..base import Settings

# These stand in queries as they are, so nothing but a field id may get through.
FieldId = Annotated[str, StringConstraints(pattern=r"^cust(body|entity|item|col)[A-Za-z0-9_]+$")]
_HOST = ".suitetalk.api.netsuite.com"


class PayoutDeposits(Settings):
    """How to recognise the bank deposits that settle a payment provider; both must hold."""

    field: FieldId | None = Field(None, description="a custom field that is filled on them")
    memo_contains: str = Field("", description="text in their memo, such as po_")


class NetSuiteConfig(Settings):
    """OAuth 2.0 (client_id, certificate_id, private_key) or token-based authentication; OAuth 2.0
    where both are given in full."""

    account: str = Field(description="the account id, such as 1234567 or 1234567_SB1")
    transport: Literal["rest", "soap"] = Field("rest", description="soap needs TBA and `wsdl`")
    wsdl: str = Field("", description="for soap: NetSuite's WSDL with its .xsd files: a path")
    base_url: str = Field("", description="default: the account's own address")
    client_id: str = ""
    certificate_id: str = ""
    private_key: SecretStr = SecretStr("")
    consumer_key: str = ""
    consumer_secret: SecretStr = SecretStr("")
    token_id: str = ""
    token_secret: SecretStr = SecretStr("")
    concurrency: int = Field(2, ge=1, le=50, description="calls at once; the account has 5")
    calls_per_second: float = Field(50.0, gt=0, description="NetSuite limits calls at once only")
    page_size: int = Field(1000, ge=5, le=1000)
    query_timezone: str = Field(
        "America/Los_Angeles", description="time zone in which SuiteQL shows times to this user"
    )
    key_field: FieldId | None = Field(
        None, description="custom field for our key, where externalId belongs to another system"
    )
    custom_fields: tuple[FieldId, ...] = Field((), description="custom fields to read")
    payout_deposits: PayoutDeposits = PayoutDeposits()
    accounting_book: int = Field(1, ge=1, description="the book whose journal lines are read")
    subsidiary: str = Field("", description="internal id for what names none (OneWorld)")
    item: str = Field("", description="item for lines that name none")
    product_type: Literal["serviceSaleItem", "nonInventorySaleItem", "otherChargeSaleItem"] = (
        "serviceSaleItem"
    )
    income_account: str = ""
    tax_schedule: str = ""
    ar_account: str = ""
    bank_account: str = Field("", description="for payments; default: undeposited funds")
    refund_account: str = Field("", description="for refunds; default: bank_account")
    location: str = ""
    department: str = ""
    class_id: str = Field("", description="internal id of the class of new transactions")

    @field_validator("account")
    @classmethod
    def _is_account(cls, value: str) -> str:
        value = value.strip()
        if not value.replace("_", "").replace("-", "").isalnum():
            raise ValueError("an account id has letters, digits and _ only, such as 1234567_SB1")
        return value

    @field_validator("query_timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone, such as Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _one_login(self) -> NetSuiteConfig:
        tba = (
            self.consumer_key,
            self.consumer_secret.get_secret_value(),
            self.token_id,
            self.token_secret.get_secret_value(),
        )
        # Where both are given in full, OAuth 2.0 is used: the other is on its way out.
        half = (any(self._oauth2) and not self.has_oauth2) or (any(tba) and not all(tba))
        if half or not (self.has_oauth2 or all(tba)):
            raise ValueError(
                "needs client_id, certificate_id and private_key (or all of consumer_key, "
                "consumer_secret, token_id and token_secret)"
            )
        if self.transport == "soap" and not (all(tba) and self.wsdl):
            raise ValueError(
                "transport soap needs consumer_key, consumer_secret, token_id, token_secret and "
                "wsdl, the path of NetSuite's WSDL (docs/providers/netsuite.md says where to get "
                "it)"
            )
        return self

    @model_validator(mode="after")
    def _one_account(self) -> NetSuiteConfig:
        """A sandbox is a copy with the same ids: its data must not be taken for production's."""
        host = (urlsplit(self.base_url).hostname or "").lower()
        if host.endswith(_HOST) and host != self.host:
            raise ValueError(f"base_url is another account's than {self.account}: {self.host}")
        return self

    @property
    def has_oauth2(self) -> bool:
        """Whether the OAuth 2.0 login is given in full."""
        return all(self._oauth2)

    @property
    def _oauth2(self) -> tuple[str, ...]:
        return (self.client_id, self.certificate_id, self.private_key.get_secret_value())

    @property
    def host(self) -> str:
        """1234567_SB1 is 1234567-sb1.suitetalk.api.netsuite.com."""
        return self._label + _HOST

    @property
    def realm(self) -> str:
        """The account as OAuth 1.0a and SOAP want it: 1234567_SB1."""
        return self.account.upper().replace("-", "_")

    @property
    def url(self) -> str:
        return self.base_url or f"https://{self.host}"

    @property
    def app(self) -> str:
        """Where people see the account; empty for a stand-in."""
        own = not self.base_url or (urlsplit(self.base_url).hostname or "").endswith(_HOST)
        return f"https://{self._label}.app.netsuite.com" if own else ""

    @property
    def is_sandbox(self) -> bool:
        return "_SB" in self.realm or self.realm.startswith("TST")

    @property
    def _label(self) -> str:
        return self.account.lower().replace("_", "-")
