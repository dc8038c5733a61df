"""Who is asking: HTTP Basic credentials or bearer tokens; credentials are looked up once in a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from flask import g, request
from sqlalchemy import Connection
from werkzeug.datastructures import Authorization

from lrs.errors import Forbidden, InvalidToken, Unauthenticated
from lrs.resources.headers import authorization
from lrs.resources.lrs import Lrs, this_lrs
from lrs.store.credentials import Credential, credential_of_client, credential_with_key, shared_scopes

READ_ALL = frozenset({"statements/read", "all/read", "all"})
READ_MINE = "statements/read/mine"
READ_AGGREGATES = READ_ALL | {"aggregates/read"}
"""Who may see how many learners stand where; of these, only those in READ_ALL may see which learners they are."""
MOST_TRUSTED = 10_000


def credential() -> Credential:
    """Return the credential of the current request; raises Unauthenticated."""
    if "credential" not in g:
        g.credential = _shown(this_lrs())
    found: Credential = g.credential
    return found


def require(scopes: frozenset[str]) -> Credential:
    """Return the request's credential if it has one of the scopes; raises Unauthenticated or Forbidden."""
    found = credential()
    if not found.scopes & scopes:
        raise Forbidden(f"this needs one of the scopes {', '.join(sorted(scopes))}")
    return found


def _shown(lrs: Lrs) -> Credential:
    given = authorization()
    if lrs.issuer is not None and given is not None and given.type == "bearer":
        return _of_client(lrs, *lrs.issuer.grant(given.token or ""))
    return _basic(lrs, given)


def _of_client(lrs: Lrs, client: str, scopes: frozenset[str]) -> Credential:
    """Return the credential that a token's client is bound to, with no more scopes than the token has."""
    found = _remembered(lrs, f"client {client}", lambda connection: credential_of_client(connection, client))
    if found is None:
        raise InvalidToken(f"the client {client!r} is bound to no active credential; see `cairn credentials bind`")
    return replace(found, scopes=shared_scopes(found.scopes, scopes))


def _basic(lrs: Lrs, given: Authorization | None) -> Credential:
    if given is None and request.headers.get("Authorization", "").lower().startswith("basic"):
        raise Unauthenticated("what follows Basic must be key:secret in base64, and cannot be read as that")
    if given is None or given.type != "basic" or given.username is None or given.password is None:
        raise Unauthenticated("send HTTP Basic credentials: the key as user name, the secret as password")
    return opened(lrs, given.username, given.password)


def opened(lrs: Lrs, key: str, secret: str) -> Credential:
    """Return the credential with this key and secret; raises Unauthenticated without saying which was wrong."""
    found = _looked_up(lrs, key)
    if found is None or not found.opens_with(secret):
        raise Unauthenticated("the key or the secret is wrong, or the credential was revoked")
    return found


def _looked_up(lrs: Lrs, key: str) -> Credential | None:
    if not (key.isascii() and key.isalnum()):
        return None
    return _remembered(lrs, key, lambda connection: credential_with_key(connection, key))


def _remembered(lrs: Lrs, name: str, look_up: Callable[[Connection], Credential | None]) -> Credential | None:
    """Return a credential looked up now, or a moment ago under the same name."""
    now = time.monotonic()
    until, trusted = lrs.trusted.get(name, (0.0, None))
    if trusted is not None and now < until:
        return trusted
    with lrs.engine.connect() as connection:
        found = look_up(connection)
    if found is None:
        lrs.trusted.pop(name, None)
        return None
    if len(lrs.trusted) > MOST_TRUSTED:
        lrs.trusted.clear()
    lrs.trusted[name] = (now + lrs.settings.credential_cache_seconds, found)
    return found
