"""Who a token belongs to: user info, the identity address, introspection.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm
https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oidc_token_introspection_endpoint.htm
"""

from __future__ import annotations

from typing import Any, Protocol

_NAME = ("Integration", "User")
_EMAIL = "integration@example.com"


class Owner(Protocol):
    """What is known of the app's user."""

    organization_id: str
    user_id: str
    username: str


def _about(app: Owner, audience: str, base: str) -> dict[str, Any]:
    """What both answers have in common."""
    rest = f"{base}/services/data/v{{version}}/"
    soap = f"{base}/services/Soap/"
    return {
        "user_id": app.user_id,
        "organization_id": app.organization_id,
        "email": _EMAIL,
        "email_verified": True,
        "photos": {"picture": f"{base}/profilephoto/005/F", "thumbnail": f"{base}/profilephoto/T"},
        "urls": {
            "enterprise": f"{soap}c/{{version}}/{app.organization_id}",
            "metadata": f"{soap}m/{{version}}/{app.organization_id}",
            "partner": f"{soap}u/{{version}}/{app.organization_id}",
            "rest": rest,
            "sobjects": f"{rest}sobjects/",
            "search": f"{rest}search/",
            "query": f"{rest}query/",
            "recent": f"{rest}recent/",
            "profile": f"{base}/{app.user_id}",
            "custom_domain": base,
        },
        "active": True,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": 0,
        "is_app_installed": True,
    }


def user_info(app: Owner, audience: str, base: str, updated: str) -> dict[str, Any]:
    """/services/oauth2/userinfo."""
    return _about(app, audience, base) | {
        "sub": f"{audience}/id/{app.organization_id}/{app.user_id}",
        "preferred_username": app.username,
        "nickname": "integration",
        "name": " ".join(_NAME),
        "given_name": _NAME[0],
        "family_name": _NAME[1],
        "zoneinfo": "UTC",
        "profile": f"{base}/{app.user_id}",
        "updated_at": updated,
    }


def identity(app: Owner, audience: str, base: str, updated: str) -> dict[str, Any]:
    """/id/{organization}/{user}, the `id` of a token answer."""
    return _about(app, audience, base) | {
        "id": f"{audience}/id/{app.organization_id}/{app.user_id}",
        "asserted_user": True,
        "username": app.username,
        "nick_name": "integration",
        "display_name": " ".join(_NAME),
        "first_name": _NAME[0],
        "last_name": _NAME[1],
        "timezone": "UTC",
        "mobile_phone": None,
        "mobile_phone_verified": False,
        "is_lightning_login_user": False,
        "status": {"created_date": None, "body": None},
        "last_modified_date": updated,
    }


def introspected(app: Owner, client: str, audience: str, since: int, ends: int) -> dict[str, Any]:
    """What /services/oauth2/introspect says of a live token; times in epoch seconds."""
    return {
        "active": True,
        "scope": "api",
        "client_id": client,
        "username": app.username,
        "sub": f"{audience}/id/{app.organization_id}/{app.user_id}",
        "token_type": "access_token",
        "exp": ends,
        "iat": since,
        "nbf": since,
    }
