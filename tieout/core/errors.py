"""Every error tieout raises on purpose, sorted by what happens next.

    TieoutError
    ├── ConfigError       a person must edit config.yaml or a secret
    │   └── AuthError     a login, permission or signature was refused
    ├── TryLater          the same call may succeed later; the runner waits
    │   ├── RateLimited   and the provider may have said how long
    │   └── ProviderDown  5xx, or no answer where repeating is safe
    ├── UnknownOutcome    a write may have happened: look it up, never just repeat it
    ├── InvalidRecord     this one record is quarantined; the run goes on
    │   ├── NotFound      the provider has no such record
    │   └── Conflict      it changed under our hands: read again, decide again
    └── StopRun           going on would do harm; what was done is kept

Anything else that escapes is a bug and shows its traceback.
"""

from __future__ import annotations


class TieoutError(Exception):
    """`message` says what happened, `where` names the place, `hint` what to do."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message, self.where, self.hint = message, where, hint


class ConfigError(TieoutError):
    """A person must edit config.yaml or a secret."""


class AuthError(ConfigError):
    """A login, a permission or a signature was refused."""


class TryLater(TieoutError):
    """The same call may succeed later."""


class RateLimited(TryLater):
    """Too many calls. `wait_seconds` is what the provider asked for, if it said so."""

    def __init__(
        self, message: str, *, where: str = "", hint: str = "", wait_seconds: float | None = None
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.wait_seconds = wait_seconds


class ProviderDown(TryLater):
    """5xx, or no answer where repeating is safe."""


class UnknownOutcome(TieoutError):
    """A write may have happened: look it up, never just repeat it."""


class InvalidRecord(TieoutError):
    """One record cannot be used; it is set aside and the run goes on."""


class NotFound(InvalidRecord):
    """The provider has no such record."""


class Conflict(InvalidRecord):
    """It changed under our hands: read again, decide again."""


class StopRun(TieoutError):
    """Going on would do harm; what was done is kept."""
