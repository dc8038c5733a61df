"""Data 2.6: which signatures are well-formed, and what is found of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from lrs.xapi.certificates import thumbprint
from lrs.xapi.signatures import FROM_WEAKEST, Finding, finding, weakest
from tests.district import statement
from tests.parcels import declared
from tests.signing import base64url, holder, jws, key, signed

NOW = datetime.now(UTC)
ROOT = holder("root")
SIGNER = holder("signer", ROOT)
SENT = statement(
    timestamp="2026-11-21T08:00:00.120Z",
    result={"duration": "PT1.23S"},
    attachments=[declared(b"an essay")],
    context={"registration": "0a0a0a0a-0000-4000-8000-000000000001"},
)


def found(data: bytes, sent: dict[str, Any] = SENT, issuers: tuple[bytes, ...] = ()) -> Finding:
    """Return what is found of a signature that came with a statement."""
    return finding(data, "ab" * 32, signed(sent, data), "1.0.3", issuers, NOW)


def refused(data: bytes, sent: dict[str, Any] = SENT) -> str:
    """Return why a signature is refused."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are what is looked at
        found(data, sent)
    return str(error.value)


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_signature_without_certificate_is_taken_and_nobody_vouches(algorithm: str) -> None:
    """XAPI-00117."""
    one = found(jws(SENT, key("signer"), algorithm=algorithm))
    assert one == Finding("ab" * 32, algorithm, "unverified")


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_signature_by_its_own_certificate_is_self_consistent(algorithm: str) -> None:
    one = found(jws(SENT, key("signer"), [SIGNER.certificate], algorithm))
    assert one == Finding("ab" * 32, algorithm, "self-consistent", "CN=signer", thumbprint(SIGNER.certificate))


def test_a_signature_under_a_pinned_issuer_is_trusted() -> None:
    data = jws(SENT, key("signer"), [SIGNER.certificate, ROOT.certificate])
    one = found(data, issuers=(holder("other").certificate, ROOT.certificate))
    assert (one.outcome, one.issuer) == ("trusted", thumbprint(ROOT.certificate))


def test_a_signature_by_another_key_is_refused() -> None:
    assert "key of the certificate" in refused(jws(SENT, key("forger"), [SIGNER.certificate]))


def test_a_signature_over_another_payload_or_header_is_refused() -> None:
    header, payload, signature = jws(SENT, key("signer"), [SIGNER.certificate]).split(b".")
    other = base64url(msgspec.json.encode({**SENT, "stored": "2026-11-21T08:00:00Z"}))
    assert "key of the certificate" in refused(b".".join([header, other, signature]))
    assert "key of the certificate" in refused(b".".join([header, payload, signature[::-1]]))
    swapped = jws(SENT, key("signer"), [SIGNER.certificate], "RS512").split(b".")[0]
    assert "key of the certificate" in refused(b".".join([swapped, payload, signature]))


@pytest.mark.parametrize("algorithm", ["HS256", "none", "ES256", "PS256", "rs256", "", None, 1, ["RS256"]])
def test_another_algorithm_is_refused(algorithm: Any) -> None:
    """XAPI-00117."""
    header = base64url(msgspec.json.encode({"alg": algorithm}))
    assert "RS256" in refused(header + b"." + base64url(msgspec.json.encode(SENT)) + b".c2ln")
    assert "RS256" in refused(base64url(b"{}") + b"." + base64url(msgspec.json.encode(SENT)) + b".c2ln")


@pytest.mark.parametrize(
    "data", [b"", b"..", b"a.b", b"a.b.c.d", b"a b.c.d", b"\xff.a.b", b"a.a.\n", b'{"payload":""}']
)
def test_what_is_no_compact_jws_is_refused(data: bytes) -> None:
    """XAPI-00115."""
    assert "compact serialisation" in refused(data) or "well-formed" in refused(data)


@pytest.mark.parametrize("header", [b"[]", b"1", b"{", b"\xff", b'{"alg":"RS256","alg":"RS256"}'])
def test_a_header_that_is_no_object_is_refused(header: bytes) -> None:
    assert "JWS header" in refused(base64url(header) + b"." + base64url(msgspec.json.encode(SENT)) + b".c2ln")


def test_critical_extensions_are_refused() -> None:
    """RFC 7515 section 4.1.11: whoever does not understand them must not take the signature."""
    assert "crit" in refused(jws(SENT, key("signer"), crit=["b64"], b64=False))


@pytest.mark.parametrize(
    "x5c",
    [
        *([], "x", [1], [""], [None], {}, ["%%%"], [base64.b64encode(b"no certificate").decode()]),
        *([base64.urlsafe_b64encode(b"\xff\xff\xff").decode()], [base64.b64encode(SIGNER.certificate).decode()] * 11),
    ],
)
def test_a_chain_that_cannot_be_read_is_refused(x5c: Any) -> None:
    """RFC 7515 section 4.1.6."""
    assert "x5c" in refused(jws(SENT, key("signer"), x5c=x5c))


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"1", b"\xff", b"{'id': 1}", b'{"a":1,"a":1}', b"{}"])
def test_a_payload_that_is_no_statement_is_refused(payload: bytes) -> None:
    """XAPI-00116."""
    assert "payload" in refused(jws(payload or b" ", key("signer")))


CHANGED: list[dict[str, Any]] = [
    {"actor": {"mbox": "mailto:other@example.org"}},
    {"verb": {"id": "https://verbs.example.org/other"}},
    {"object": {"id": "https://tool.example.org/other"}},
    {"result": {"duration": "PT1.24S"}},
    {"result": {"duration": "PT1.23S", "success": True}},
    {"context": {}},
    {"id": "0a0a0a0a-0000-4000-8000-000000000009"},
    {"timestamp": "2026-11-21T08:00:00.121Z"},
    {"attachments": []},
    {"attachments": [declared(b"another essay")]},
    {"attachments": [declared(b"an essay"), declared(b"another essay")]},
]


@pytest.mark.parametrize("change", CHANGED, ids=lambda one: str(one)[:40])
def test_a_signature_of_another_statement_is_refused(change: dict[str, Any]) -> None:
    assert "payload" in refused(jws({**SENT, **change}, key("signer")))


@pytest.mark.parametrize("name", ["id", "timestamp"])
def test_what_was_signed_must_be_sent(name: str) -> None:
    """The LRS would set another value, which nobody signed."""
    assert name in refused(jws(SENT, key("signer")), {key: value for key, value in SENT.items() if key != name})


ALIKE: list[dict[str, Any]] = [
    {"id": str(SENT["id"]).upper()},
    {"timestamp": "2026-11-21T09:00:00.12+01:00"},
    {"version": "1.0.0"},
    {"stored": "2026-11-21T08:00:00Z"},
    {"authority": {"mbox": "mailto:somebody@example.org"}},
    {"result": {"duration": "PT1.2371S"}},
    {"verb": {"id": SENT["verb"]["id"]}},
    {"attachments": [declared(b"an essay", sha2=declared(b"an essay")["sha2"].upper())]},
]


@pytest.mark.parametrize("change", ALIKE, ids=lambda one: next(iter(one)))
def test_what_the_server_may_set_or_holds_apart_may_differ(change: dict[str, Any]) -> None:
    """Data 2.3.1, and 4.6 for the duration."""
    assert found(jws({**SENT, **change}, key("signer"))).outcome == "unverified"


@pytest.mark.parametrize("name", ["id", "timestamp"])
def test_what_the_server_sets_need_not_be_signed(name: str) -> None:
    payload = {key: value for key, value in SENT.items() if key != name}
    assert found(jws(payload, key("signer"))).outcome == "unverified"


def test_a_later_signature_may_cover_an_earlier_one() -> None:
    """Data 2.6: the payload is the statement before the signature was added."""
    first = jws(SENT, key("signer"))
    second = jws(signed(SENT, first), key("another"))
    for one in (first, second):
        assert finding(one, "ab" * 32, signed(SENT, first, second), "1.0.3", (), NOW).outcome == "unverified"


def test_the_weakest_signature_tells_of_the_statement() -> None:
    assert weakest([]) == "unsigned"
    assert weakest(["trusted", "self-consistent"]) == "self-consistent"
    assert weakest(FROM_WEAKEST[1:]) == "unverified"
    assert weakest(["trusted", "trusted"]) == "trusted"
