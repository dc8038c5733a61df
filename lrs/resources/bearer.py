"""OAuth 2 bearer tokens (RFC 6750): JWTs of one configured issuer, checked with the keys that it publishes.

The issuer says who its client is and how far the token reaches; which log that client speaks to, and how far it may
reach at most, says the credential that the client was bound to here. Statements carry that credential as authority.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import msgspec
import requests

from lrs.errors import CairnError, InvalidToken, IssuerAway
from lrs.settings import Settings

ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
LEEWAY_SECONDS = 30
TIMEOUT_SECONDS = 5
MOST_BYTES = 1_000_000
KEPT_SECONDS = 3_600.0
LEAST_SECONDS_BETWEEN = 30.0
LEAST_RSA_BITS = 2_048
DISCOVERY = "/.well-known/openid-configuration"
CLIENT_CLAIMS = ("client_id", "azp", "sub")
SCOPE_CLAIMS = ("scope", "scp")
WORDS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "the token has expired; get a new one"),
    (jwt.ImmatureSignatureError, "the token is not valid yet; compare the clocks"),
    (jwt.InvalidAudienceError, "the token is for another audience"),
    (jwt.InvalidIssuerError, "the token comes from another issuer"),
    (jwt.MissingRequiredClaimError, "the token lacks one of the claims exp, iss and aud"),
    (jwt.InvalidAlgorithmError, "the token is signed otherwise than RS256 or ES256, or with a key of another kind"),
    (jwt.InvalidSignatureError, "the token's signature does not hold"),
)


class Issuer:
    """The one who issues tokens, and its keys, fetched when they are needed and kept while it does not answer."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        if not settings.oauth_audience:
            raise CairnError("CAIRN_OAUTH_ISSUER needs CAIRN_OAUTH_AUDIENCE: a token for somebody else must not open")
        self._name, self._audience = settings.oauth_issuer, settings.oauth_audience
        self._keys_url, self._clock = settings.oauth_jwks_url, clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched = self._tried = float("-inf")

    def grant(self, token: str) -> tuple[str, frozenset[str]]:
        """Return the client that a token was given to, and the scopes that it has; raises as `claims`."""
        claims = self.claims(token)
        return client_of(claims), scopes_of(claims)

    def claims(self, token: str) -> Mapping[str, Any]:
        """Return what a token says once all of it holds; raises InvalidToken, and IssuerAway while there is no key."""
        try:
            key = self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            found: Mapping[str, Any] = jwt.decode(
                token, key, [key.algorithm_name], {"require": ["exp", "iss", "aud"]},
                audience=self._audience, issuer=self._name, leeway=LEEWAY_SECONDS,
            )  # fmt: skip
        except jwt.PyJWTError as error:
            words = (said for kind, said in WORDS if isinstance(error, kind))
            raise InvalidToken(next(words, "the token is not a JWT that can be read")) from error
        return found

    def _key(self, name: str) -> jwt.PyJWK:
        """Return the issuer's key of a name; an unknown name or old keys are a reason to ask anew, once in a while."""
        with self._lock:
            now = self._clock()
            is_old = now - self._fetched > KEPT_SECONDS
            if (is_old or name not in self._keys) and now - self._tried >= LEAST_SECONDS_BETWEEN:
                self._tried = now
                self._refresh(now)
            if not self._keys:
                raise IssuerAway("the issuer of tokens publishes no key that can be had now; send the request again")
            if name not in self._keys:
                raise InvalidToken("the token is signed with a key that its issuer does not publish")
            return self._keys[name]

    def _refresh(self, now: float) -> None:
        """Fetch the keys; when that fails, those at hand stay good."""
        try:
            url = self._keys_url or _fetched(self._name.rstrip("/") + DISCOVERY)["jwks_uri"]
            self._keys = usable_keys(_fetched(url))
            self._fetched = now
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError):
            return


def _fetched(url: str) -> Any:
    """Return the JSON at an address, which neither redirects nor is long."""
    with requests.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True) as answer:
        answer.raise_for_status()
        text = answer.raw.read(MOST_BYTES + 1, decode_content=True)
    if answer.status_code != requests.codes.ok or len(text) > MOST_BYTES:
        raise ValueError("not a list of keys")
    return msgspec.json.decode(text)


def usable_keys(published: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """Return the keys of a JWKS that may sign tokens, by their names: RSA of 2,048 bits or more, and P-256."""
    found = {}
    for one in published["keys"]:
        if one.get("use", "sig") != "sig" or one.get("kty") not in ALGORITHMS or one.get("crv", "P-256") != "P-256":
            continue
        try:
            key = jwt.PyJWK(one, ALGORITHMS[one["kty"]])
        except jwt.PyJWTError:
            continue
        if one["kty"] == "EC" or key.key.key_size >= LEAST_RSA_BITS:
            found[str(one.get("kid", ""))] = key
    return found


def client_of(claims: Mapping[str, Any]) -> str:
    """Return the OAuth client that a token was given to; raises InvalidToken when it names none."""
    for name in CLIENT_CLAIMS:
        if isinstance(claims.get(name), str) and claims[name]:
            return str(claims[name])
    raise InvalidToken(f"the token names no client: it needs one of the claims {', '.join(CLIENT_CLAIMS)}")


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes of a token: words in one text (RFC 8693 section 4.2), or a list of them."""
    found: set[str] = set()
    for name in SCOPE_CLAIMS:
        value = claims.get(name)
        found.update(value.split() if isinstance(value, str) else map(str, value) if isinstance(value, list) else ())
    return frozenset(found)
