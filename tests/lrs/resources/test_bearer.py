"""OAuth 2 bearer tokens (RFC 6750, RFC 7519): an issuer of our own on the loopback, real keys, real signatures."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from werkzeug.test import TestResponse

import wsgi
from lrs.errors import CairnError, InvalidToken, IssuerAway
from lrs.resources.bearer import KEPT_SECONDS, LEAST_SECONDS_BETWEEN, Issuer
from lrs.settings import Settings
from lrs.store.credentials import SCOPES, revoke_credential, shared_scopes
from lrs.store.engine import immediate
from tests.district import VERSION, Client, District, open_district, said, statement

AUDIENCE = "https://lrs.example.org"
CLIENT = "reading-tool"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)
CURVE = ec.generate_private_key(ec.SECP256R1())
WIDE_CURVE = ec.generate_private_key(ec.SECP384R1())


def published(name: str, key: Any, **more: str) -> dict[str, Any]:
    """Return the public half of a key as a JWKS has it."""
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": name, **more}


@dataclass
class Keys:
    """The issuer's server: what it publishes, and how often it was asked."""

    url: str
    keys: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    asked: int = 0

    def settings(self, settings: Settings, **more: str) -> Settings:
        """Return settings that trust this issuer."""
        named = {"oauth_issuer": self.url, "oauth_audience": AUDIENCE, "oauth_jwks_url": f"{self.url}/keys", **more}
        return replace(settings, **named)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server() -> Iterator[Keys]:
    """A server on the loopback that publishes keys, under an address and by discovery."""
    found = Keys("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked += 1
            body = {"keys": found.keys} if self.path == "/keys" else {"jwks_uri": f"{found.url}/keys"}
            self.send_response(found.status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        found.url = f"http://127.0.0.1:{serving.server_port}"
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield found
        serving.shutdown()
        thread.join()


@pytest.fixture
def issuer(server: Keys) -> Keys:
    """The issuer as each test finds it: up, with one key of each kind."""
    server.keys = [published("r", RSA), published("e", CURVE)]
    server.status, server.asked = 200, 0
    return server


@pytest.fixture
def trusting(district: District, issuer: Keys) -> Iterator[District]:
    """The test's log behind a server that trusts the issuer."""
    with open_district(issuer.settings(district.settings)) as one:
        yield replace(district, app=one.app, desk=one.desk)


def token(issuer: Keys, key: Any = RSA, name: str = "r", algorithm: str = "RS256", **claims: Any) -> str:
    """Return a token that holds, but for what the test changes; a claim of None is left out."""
    now = int(time.time())
    whole = {"iss": issuer.url, "aud": AUDIENCE, "exp": now + 60, "nbf": now, "client_id": CLIENT, "scope": "all"}
    kept = {claim: value for claim, value in {**whole, **claims}.items() if value is not None}
    return jwt.encode(kept, key, algorithm, {"kid": name} if name else {})


def bound(district: District, *scopes: str, client: str = CLIENT) -> Client:
    """Bind the OAuth client to a new credential of these scopes."""
    credential = district.client(*scopes)
    words = ["bind", district.log.slug, credential.key, "--client", client]
    done = CliRunner().invoke(wsgi.cairn.commands["credentials"], words, obj=district.desk)
    assert done.exit_code == 0, done.output
    return credential


def ask(district: District, text: str, **more: Any) -> TestResponse:
    headers = {**VERSION, "Authorization": f"Bearer {text}"}
    return district.app.test_client().get("/xapi/statements", headers=headers, **more)


def post(district: District, text: str) -> TestResponse:
    headers = {**VERSION, "Authorization": f"Bearer {text}"}
    return district.app.test_client().post("/xapi/statements", json=statement("by token"), headers=headers)


@pytest.mark.parametrize(
    ("key", "name", "algorithm"), [(RSA, "r", "RS256"), (CURVE, "e", "ES256")], ids=["rsa", "curve"]
)
def test_a_token_opens_the_log_of_the_credential_that_its_client_is_bound_to(
    trusting: District, issuer: Keys, key: Any, name: str, algorithm: str
) -> None:
    credential = bound(trusting, "all")
    answer = post(trusting, token(issuer, key, name, algorithm))
    assert answer.status_code == 200
    (found,) = [one for one in trusting.someone.found() if one["id"] == said(answer)[0]]
    assert found["authority"]["account"] == {"homePage": trusting.log.origin, "name": credential.key}


@pytest.mark.parametrize("claims", [{"client_id": None, "azp": CLIENT}, {"client_id": None, "sub": CLIENT}], ids=str)
def test_the_client_may_stand_in_other_claims(trusting: District, issuer: Keys, claims: dict[str, Any]) -> None:
    bound(trusting, "all")
    assert ask(trusting, token(issuer, **claims)).status_code == 200


def test_the_keys_are_found_by_discovery(district: District, issuer: Keys) -> None:
    with open_district(issuer.settings(district.settings, oauth_jwks_url="")) as one:
        there = replace(district, app=one.app, desk=one.desk)
        bound(there, "all")
        assert ask(there, token(issuer)).status_code == 200


def test_the_audience_may_be_one_of_several(trusting: District, issuer: Keys) -> None:
    bound(trusting, "all")
    assert ask(trusting, token(issuer, aud=["x", AUDIENCE])).status_code == 200


NOW = int(time.time())
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"exp": 1}, "expired"),
    ({"exp": None}, "lacks"),
    ({"nbf": NOW + 3_600}, "not valid yet"),
    ({"iss": "https://other.example.org"}, "another issuer"),
    ({"iss": None}, "lacks"),
    ({"aud": "https://other.example.org"}, "another audience"),
    ({"aud": None}, "lacks"),
    ({"key": OTHER}, "signature"),
    ({"name": "unknown"}, "does not publish"),
    ({"name": ""}, "does not publish"),
    ({"key": b"k" * 64, "algorithm": "HS256"}, "signed otherwise"),
    ({"algorithm": "RS512"}, "signed otherwise"),
    ({"key": CURVE, "algorithm": "ES256"}, "signed otherwise"),
    ({"client_id": None}, "names no client"),
    ({"client_id": "nobody"}, "bound to no active credential"),
]


@pytest.mark.parametrize(("claims", "words"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_a_token_that_does_not_hold_is_401_and_told_why(
    trusting: District, issuer: Keys, claims: dict[str, Any], words: str
) -> None:
    """RFC 6750 section 3.1: invalid_token."""
    bound(trusting, "all")
    before = trusting.size()
    text = token(issuer, **claims)
    for answer in (ask(trusting, text), post(trusting, text)):
        assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
        assert words in said(answer)["detail"]
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer realm="Cairn", error="invalid_token"')
    assert trusting.size() == before


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "..", "é", "e30.e30.", "x" * 100_000], ids=lambda text: text[:9])
def test_what_is_no_token_is_401(trusting: District, text: str) -> None:
    assert ask(trusting, text).status_code == 401


def test_a_token_without_signature_is_401(trusting: District, issuer: Keys) -> None:
    bound(trusting, "all")
    _, claims, _ = token(issuer).split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"r"}').decode().rstrip("=")
    assert ask(trusting, f"{header}.{claims}.").status_code == 401


def test_half_a_minute_of_leeway_is_given(trusting: District, issuer: Keys) -> None:
    bound(trusting, "all")
    now = int(time.time())
    assert ask(trusting, token(issuer, exp=now - 20, nbf=now + 20)).status_code == 200
    assert ask(trusting, token(issuer, exp=now - 40)).status_code == 401


@pytest.mark.parametrize(
    ("granted", "asked", "may_read", "may_write"),
    [
        ("all", "all", 200, 200),
        ("all", "statements/read", 200, 403),
        ("all", "statements/write", 403, 200),
        ("statements/write", "all", 403, 200),
        ("all/read", "all", 200, 403),
        ("statements/read/mine", "statements/read", 200, 403),
        ("all", "openid profile-of-somebody", 403, 403),
        ("all", None, 403, 403),
        ("all", ["statements/read", "statements/write"], 200, 200),
        ("statements/write", "registrar", 403, 403),
    ],
)
def test_a_token_reaches_as_far_as_both_it_and_the_credential_do(
    trusting: District, issuer: Keys, granted: str, asked: Any, may_read: int, may_write: int
) -> None:
    bound(trusting, granted)
    text = token(issuer, scope=asked)
    assert (ask(trusting, text).status_code, post(trusting, text).status_code) == (may_read, may_write)


def test_a_missing_scope_is_told_as_such(trusting: District, issuer: Keys) -> None:
    """RFC 6750 section 3.1: insufficient_scope."""
    bound(trusting, "all")
    answer = ask(trusting, token(issuer, scope="statements/write"))
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_scopes_in_common_are_those_that_both_include() -> None:
    assert shared_scopes({"all"}, {"registrar"}) == set()
    assert shared_scopes({"all"}, {"all"}) == set(SCOPES) - {"registrar"}
    assert shared_scopes({"statements/read"}, {"all/read"}) == {"statements/read", "statements/read/mine"}


def test_a_revoked_credential_takes_its_tokens_along(trusting: District, issuer: Keys) -> None:
    credential, text = bound(trusting, "all"), token(issuer)
    assert ask(trusting, text).status_code == 200
    with immediate(trusting.engine).begin() as connection:
        revoke_credential(connection, trusting.log, credential.key, 1)
    assert ask(trusting, text).status_code == 401


def test_a_client_acts_as_the_credential_that_it_was_bound_to_last(trusting: District, issuer: Keys) -> None:
    bound(trusting, "all")
    bound(trusting, "statements/write")
    assert ask(trusting, token(issuer)).status_code == 403


def test_a_client_is_bound_to_a_credential_that_there_is(trusting: District) -> None:
    words = ["bind", trusting.log.slug, "nobody", "--client", CLIENT]
    assert CliRunner().invoke(wsgi.cairn.commands["credentials"], words, obj=trusting.desk).exit_code != 0


def test_basic_credentials_are_taken_beside_tokens_and_both_are_offered(trusting: District) -> None:
    assert replace(trusting.someone, app=trusting.app).get().status_code == 200
    answer = trusting.app.test_client().get("/xapi/statements", headers=VERSION)
    offered = answer.headers.getlist("WWW-Authenticate")
    assert [one.split()[0] for one in offered] == ["Basic", "Bearer"]


def test_without_an_issuer_no_token_is_taken(district: District, issuer: Keys) -> None:
    bound(district, "all")
    answer = ask(district, token(issuer))
    assert (answer.status_code, issuer.asked) == (401, 0)
    assert answer.headers.getlist("WWW-Authenticate")[0].startswith("Basic")


def test_an_issuer_needs_an_audience(issuer: Keys) -> None:
    """Else a token that somebody was given for another service would open this one."""
    with pytest.raises(CairnError, match="CAIRN_OAUTH_AUDIENCE"):
        Issuer(issuer.settings(Settings(), oauth_audience=""))


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_fetched_once_and_kept(issuer: Keys) -> None:
    clock = Clock()
    one = Issuer(issuer.settings(Settings()), clock)
    for _ in range(5):
        assert one.claims(token(issuer))["client_id"] == CLIENT
    assert issuer.asked == 1
    clock.now += KEPT_SECONDS + 1
    one.claims(token(issuer))
    assert issuer.asked == 2


def test_an_unknown_key_is_a_reason_to_ask_again_but_not_often(issuer: Keys) -> None:
    """Keys are rotated; strangers with made-up names must not make us a nuisance to the issuer."""
    clock = Clock()
    one = Issuer(issuer.settings(Settings()), clock)
    one.claims(token(issuer))
    issuer.keys.append(published("new", OTHER))
    for _ in range(10):
        with pytest.raises(InvalidToken):
            one.claims(token(issuer, OTHER, "new"))
    assert issuer.asked == 1
    clock.now += LEAST_SECONDS_BETWEEN
    one.claims(token(issuer, OTHER, "new"))
    assert issuer.asked == 2


def test_keys_stay_good_while_the_issuer_is_down(issuer: Keys) -> None:
    clock = Clock()
    one = Issuer(issuer.settings(Settings()), clock)
    one.claims(token(issuer))
    issuer.status = 500
    clock.now += 10 * KEPT_SECONDS
    assert one.claims(token(issuer))["client_id"] == CLIENT
    assert issuer.asked == 2


def test_an_issuer_that_was_never_reached_is_503(trusting: District, issuer: Keys) -> None:
    bound(trusting, "all")
    issuer.status = 500
    answer = ask(trusting, token(issuer))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    with pytest.raises(IssuerAway):
        Issuer(issuer.settings(Settings(), oauth_jwks_url="http://127.0.0.1:9/keys")).claims(token(issuer))


def test_weak_keys_and_keys_for_other_uses_open_nothing(issuer: Keys) -> None:
    broken = {"kty": "RSA", "kid": "broken", "n": "?", "e": "?"}
    unfit = [published("s", SHORT), published("w", WIDE_CURVE), published("enc", RSA, use="enc"), broken, {"kid": "x"}]
    issuer.keys = [*unfit, published("r", RSA)]
    one = Issuer(issuer.settings(Settings()))
    assert one.claims(token(issuer))["client_id"] == CLIENT
    for key, name, algorithm in ((WIDE_CURVE, "w", "ES384"), (RSA, "enc", "RS256"), (RSA, "broken", "RS256")):
        with pytest.raises(InvalidToken):
            one.claims(token(issuer, key, name, algorithm))
