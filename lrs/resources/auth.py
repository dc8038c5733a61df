"""Who is asking: HTTP Basic credentials, looked up once in a while and compared in constant time."""

from __future__ import annotations

import time

from flask import g, request

from lrs.errors import Forbidden, Unauthenticated
from lrs.resources.lrs import Lrs, this_lrs
from lrs.store.credentials import Credential, credential_with_key

READ_ALL = frozenset({"statements/read", "all/read", "all"})
READ_MINE = "statements/read/mine"
MOST_TRUSTED = 10_000


def credential() -> Credential:
    """Return the credential of the current request; raises Unauthenticated."""
    if "credential" not in g:
        g.credential = _basic(this_lrs())
    found: Credential = g.credential
    return found


def require(scopes: frozenset[str]) -> Credential:
    """Return the request's credential if it has one of the scopes; raises Unauthenticated or Forbidden."""
    found = credential()
    if not found.scopes & scopes:
        raise Forbidden(f"this needs one of the scopes {', '.join(sorted(scopes))}")
    return found


def _basic(lrs: Lrs) -> Credential:
    given = request.authorization
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
    now = time.monotonic()
    until, trusted = lrs.trusted.get(key, (0.0, None))
    if trusted is not None and now < until:
        return trusted
    with lrs.engine.connect() as connection:
        found = credential_with_key(connection, key)
    if found is None:
        lrs.trusted.pop(key, None)
        return None
    if len(lrs.trusted) > MOST_TRUSTED:
        lrs.trusted.clear()
    lrs.trusted[key] = (now + lrs.settings.credential_cache_seconds, found)
    return found
