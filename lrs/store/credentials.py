"""Credentials of a log: random secrets kept as hashes, scopes, and the authority that each one is."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, delete, exists, insert, select, update

from lrs.errors import NotFound
from lrs.store.log import Log
from lrs.store.tables import credential, credential_client, credential_origin, log
from lrs.xapi.values import key64

SCOPES = (
    "statements/write",
    "statements/read",
    "statements/read/mine",
    "state",
    "profile",
    "define",
    "aggregates/read",
    "all/read",
    "all",
    "registrar",
)


is_origin = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]+)?").fullmatch
"""Whether a text is an origin as browsers send it (RFC 6454 section 6.2); `null` is nobody's."""

INCLUDED = {
    "all": frozenset(SCOPES) - {"registrar"},
    "all/read": frozenset({"all/read", "aggregates/read", "statements/read", "statements/read/mine"}),
    "statements/read": frozenset({"statements/read", "statements/read/mine"}),
}
"""What a scope allows beside itself."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Who is speaking, to which log, with which scopes; `authority` is the Agent of its statements, as JSON text."""

    key: str
    name: str
    log: Log
    scopes: frozenset[str]
    secret_sha256: bytes
    authority: bytes

    @property
    def authority_key(self) -> int:
        """The 64-bit key under which the credential's own statements are found."""
        return key64("agent", f"account:{self.log.origin}|{self.key}")

    def opens_with(self, secret: str) -> bool:
        """Whether this is the credential's secret, compared in constant time."""
        return hmac.compare_digest(hashlib.sha256(secret.encode()).digest(), self.secret_sha256)


def shared_scopes(one: Iterable[str], other: Iterable[str]) -> frozenset[str]:
    """Return the scopes that both sets allow, each with all that it includes."""
    return _with_included(one) & _with_included(other)


def _with_included(scopes: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(INCLUDED.get(one, {one}) for one in scopes))


def authority_of(log_: Log, key: str, name: str) -> bytes:
    """Return the Agent that stands for a credential: an account of the log's origin, named by the credential's key."""
    agent = {"objectType": "Agent", "name": name, "account": {"homePage": log_.origin, "name": key}}
    return msgspec.json.encode(agent)


def create_credential(
    connection: Connection, log_: Log, name: str, scopes: frozenset[str], now: int, new_token: Callable[[], str]
) -> tuple[Credential, str]:
    """Create a credential and return it with its secret, which is kept nowhere and cannot be shown again."""
    key, secret = new_token()[:16], new_token()
    hashed = hashlib.sha256(secret.encode()).digest()
    row = {"log_id": log_.log_id, "key": key, "secret_sha256": hashed, "name": name, "created": now}
    connection.execute(insert(credential).values(scopes=" ".join(sorted(scopes)), **row))
    return Credential(key, name, log_, scopes, hashed, authority_of(log_, key, name)), secret


def credential_with_key(connection: Connection, key: str) -> Credential | None:
    """Return the credential with this key; None when there is none or it was revoked."""
    query = (
        select(credential.c.name, credential.c.scopes, credential.c.secret_sha256, log)
        .join_from(credential, log, credential.c.log_id == log.c.log_id)
        .where(credential.c.key == key, credential.c.revoked.is_(None))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    name, scopes, hashed, *columns = row
    its_log = Log(*columns)
    return Credential(key, name, its_log, frozenset(scopes.split()), hashed, authority_of(its_log, key, name))


def credentials_of(connection: Connection, log_: Log) -> list[tuple[str, str, str, bool]]:
    """Return (key, name, scopes, is revoked) of every credential of a log, in the order of their creation."""
    columns = credential.c.key, credential.c.name, credential.c.scopes, credential.c.revoked
    query = select(*columns).where(credential.c.log_id == log_.log_id).order_by(credential.c.credential_id)
    return [(key, name, scopes, revoked is not None) for key, name, scopes, revoked in connection.execute(query)]


def origins_of(connection: Connection, key: str) -> list[str]:
    """Return the web origins whose pages may use a credential."""
    query = select(credential_origin.c.origin).where(credential_origin.c.key == key)
    return list(connection.scalars(query.order_by(credential_origin.c.origin)))


def set_origins(connection: Connection, log_: Log, key: str, origins: Iterable[str]) -> None:
    """Let pages of these origins, and no others, use a credential; raises NotFound."""
    _require_active(connection, log_, key)
    connection.execute(delete(credential_origin).where(credential_origin.c.key == key))
    rows = [{"key": key, "origin": origin} for origin in sorted(set(origins))]
    if rows:
        connection.execute(insert(credential_origin), rows)


def is_origin_of(connection: Connection, key: str, origin: str) -> bool:
    """Whether pages of an origin may use a credential."""
    query = select(exists().where(credential_origin.c.origin == origin, credential_origin.c.key == key))
    return bool(connection.scalar(query))


def is_origin_of_any(connection: Connection, origin: str) -> bool:
    """Whether pages of an origin may use any credential that is active."""
    allowed = credential_origin.c.origin == origin, credential_origin.c.key == credential.c.key
    return bool(connection.scalar(select(exists().where(*allowed, credential.c.revoked.is_(None)))))


def bind_client(connection: Connection, log_: Log, key: str, client: str) -> None:
    """Let an OAuth client act as a credential, and as no other; raises NotFound."""
    _require_active(connection, log_, key)
    connection.execute(delete(credential_client).where(credential_client.c.client == client))
    connection.execute(insert(credential_client).values(client=client, key=key))


def credential_of_client(connection: Connection, client: str) -> Credential | None:
    """Return the credential that an OAuth client acts as; None when it is bound to none that is active."""
    key = connection.scalar(select(credential_client.c.key).where(credential_client.c.client == client))
    return None if key is None else credential_with_key(connection, key)


def _require_active(connection: Connection, log_: Log, key: str) -> None:
    found = credential_with_key(connection, key)
    if found is None or found.log.log_id != log_.log_id:
        raise _no_active(log_, key)


def _no_active(log_: Log, key: str) -> NotFound:
    return NotFound(f"the log {log_.slug!r} has no active credential {key!r}; `cairn credentials list` shows them")


def revoke_credential(connection: Connection, log_: Log, key: str, now: int) -> None:
    """Revoke a credential from now on; raises NotFound when the log has no such active credential."""
    changed = connection.execute(
        update(credential)
        .where(credential.c.log_id == log_.log_id, credential.c.key == key, credential.c.revoked.is_(None))
        .values(revoked=now)
    )
    if changed.rowcount == 0:
        raise _no_active(log_, key)
