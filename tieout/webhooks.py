"""Receives webhooks: verify, keep, answer. It runs nothing itself.

An event carries no truth: it says what to look at. So a body is kept as it came, under the
provider's event id, and 2xx is answered only after it is durable; the next pull looks.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from tieout.core.errors import AuthError, ConfigError, InvalidRecord, StopRun
from tieout.hub import Hub

LARGEST_BODY = 1024 * 1024
# Under this name a connector finds the secret of the path among the headers.
PATH_TOKEN = "Tieout-Path-Token"
_KEPT_HEADERS = ("stripe-signature", "content-type", "user-agent")  # never a login


def create_app(hub: Hub) -> Flask:
    """The web application: `POST /webhooks/<system>`, and with a secret path for providers that
    sign nothing and can send no login, `POST /webhooks/<system>/<token>`."""
    app = Flask("tieout")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY

    @app.post("/webhooks/<system>")
    def receive(system: str) -> Response:
        return _receive(hub, system)

    @app.post("/webhooks/<system>/<token>")
    def receive_by_token(system: str, token: str) -> Response:
        return _receive(hub, system, token)

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(error: RequestEntityTooLarge) -> Response:
        return _answer(413, f"larger than {LARGEST_BODY} bytes")

    return app


def _receive(hub: Hub, system: str, token: str = "") -> Response:
    if system not in hub.config.systems:
        return _answer(404, "there is no such system")
    body = request.get_data(cache=False)
    headers = dict(request.headers.items()) | {PATH_TOKEN: token}
    connector = hub.side(system).connector
    try:
        touched = connector.read_webhook(headers, body)
    except (AuthError, InvalidRecord) as error:
        return _answer(400, error.message)  # not stored: anybody can send it
    except NotImplementedError:
        return _answer(404, "this system sends no webhooks")
    except ConfigError:
        return _answer(503, "not configured to verify webhooks", retry=True)
    kept = {name: value for name, value in headers.items() if name.lower() in _KEPT_HEADERS}
    try:
        events = [each.event_id for each in touched]
        new = hub.store.inbox.keep(system, events, kept, connector.webhook_kept(body))
    except StopRun:
        return _answer(503, "could not be kept; send it again", retry=True)
    kind, reply = connector.webhook_reply
    return Response(reply, 200, mimetype=kind) if reply else _answer(200, f"{new} new")


def _answer(status: int, text: str, *, retry: bool = False) -> Response:
    headers: dict[str, Any] = {"Retry-After": "60"} if retry else {}
    return Response(text + "\n", status, headers, mimetype="text/plain")
