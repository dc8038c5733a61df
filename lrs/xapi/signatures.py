"""Signed statements (xAPI 1.0.3 Data 2.6): a JWS in compact serialisation whose payload is the statement itself.

An LRS refuses what is malformed; whether a signer is to be believed it can only report. What was found of a signature:

unverified        well-formed, and its payload is the statement; it brought no certificate to check it with
self-consistent   made with the key of the certificate that it brought; nobody who is trusted vouches for that
trusted           so too, and at that time an issuer pinned for the credential vouched for the certificate

A statement's own outcome is the weakest of its signatures'; one without any is `unsigned`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from lrs.errors import Problem
from lrs.xapi.attachments import SIGNATURE
from lrs.xapi.decode import read
from lrs.xapi.equality import is_equal
from lrs.xapi.parts import Valid
from lrs.xapi.statement import Version, problems
from lrs.xapi.values import Json, timestamp_us

Outcome: TypeAlias = Literal["unsigned", "unverified", "self-consistent", "trusted"]
FROM_WEAKEST: Final[tuple[Outcome, ...]] = ("unsigned", "unverified", "self-consistent", "trusted")
CONTENT_TYPE = "application/octet-stream"
ALGORITHMS = ("RS256", "RS384", "RS512")
"""xAPI 1.0.3 Data 2.6 admits no others."""
LONGEST_CHAIN = 10

_is_compact = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)").fullmatch


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one signature: `thumbprint` and `issuer` are SHA-256 of certificates, in hex."""

    sha2: str
    algorithm: str
    outcome: Outcome
    subject: str | None = None
    thumbprint: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class _Jws:
    """A signature taken apart; `chain` holds DER certificates, the signer's first."""

    algorithm: str
    chain: tuple[bytes, ...]
    payload: bytes
    signed: bytes
    signature: bytes


def weakest(outcomes: Iterable[str]) -> Outcome:
    """Return the outcome of a statement whose signatures have these; `unsigned` when there are none."""
    return min(outcomes, key=FROM_WEAKEST.index, default="unsigned")  # type: ignore[arg-type]


def is_signature(attachment: Valid) -> bool:
    """Tell whether a valid attachment is a signature of its statement."""
    return bool(attachment["usageType"] == SIGNATURE)


def finding(
    data: bytes, sha2: str, statement: Valid, version: Version, issuers: Sequence[bytes], at: datetime
) -> Finding:
    """Return what is found of a signature of this valid statement, `issuers` being those pinned for its sender.

    Raises ValueError, in words for the sender, when it is malformed, not of this statement, or does not hold.
    """
    jws = _parsed(data)
    _check_payload(jws.payload, statement, version)
    if not jws.chain:
        return Finding(sha2, jws.algorithm, "unverified")
    # What reads certificates takes 9 MB of each process, and comes with the first of them.
    from lrs.xapi.certificates import is_signed_by, issuer_of, subject, thumbprint

    signer = jws.chain[0]
    if not is_signed_by(signer, jws.algorithm, jws.signed, jws.signature):
        raise ValueError("the signature was not made with the key of the certificate that it brings in x5c")
    issuer = issuer_of(jws.chain, issuers, at)
    outcome: Outcome = "trusted" if issuer else "self-consistent"
    return Finding(
        sha2, jws.algorithm, outcome, subject(signer), thumbprint(signer), thumbprint(issuer) if issuer else None
    )


def _parsed(data: bytes) -> _Jws:
    match = _is_compact(data)
    if match is None:
        raise ValueError("must be a JWS in compact serialisation: three parts in base64url, joined by full stops")
    header, payload, signature = (_unbase64url(one) for one in match.groups())
    members = _object(header, "the JWS header")
    algorithm = members.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise ValueError(f"must be signed with one of {', '.join(ALGORITHMS)}: that is the alg of the JWS header")
    if "crit" in members:
        raise ValueError("must not have crit in the JWS header: no extension of JWS is understood here")
    chain = _chain(members["x5c"]) if "x5c" in members else ()
    signed = data[: data.rindex(b".")]
    return _Jws(algorithm, chain, payload, signed, signature)


def _chain(x5c: Json) -> tuple[bytes, ...]:
    """Return the certificates of an x5c header (RFC 7515 section 4.1.6), which is base64 and not base64url."""
    words = f"x5c of the JWS header must be an array of 1 to {LONGEST_CHAIN} certificates, DER in base64"
    if not isinstance(x5c, list) or not 1 <= len(x5c) <= LONGEST_CHAIN:
        raise ValueError(words)
    try:
        return tuple(base64.b64decode(one, validate=True) for one in x5c if _is_text(one, words))  # type: ignore[arg-type]
    except binascii.Error as error:
        raise ValueError(words) from error


def _is_text(value: Json, words: str) -> bool:
    if not isinstance(value, str) or not value:
        raise ValueError(words)
    return True


def _check_payload(payload: bytes, statement: Valid, version: Version) -> None:
    """Refuse a payload that is not the statement before it was signed (Data 2.6 and 2.3.1).

    What the LRS sets may differ where the LRS may have set it; an id or a time that was signed must be what is sent.
    """
    signed = _object(payload, "the payload of the JWS")
    wrong = problems(signed, version)
    if wrong:
        raise ValueError(f"the payload of the JWS is not a valid statement: {wrong[0]}")
    if not is_equal(signed, statement):
        raise ValueError("the payload of the JWS is not this statement: sign it as it is sent, without its signature")
    for name, essence in (("id", str.lower), ("timestamp", timestamp_us)):
        if name in signed and (name not in statement or essence(signed[name]) != essence(statement[name])):
            raise ValueError(f"the payload of the JWS has another {name} than the statement: send what was signed")
    if _hashes(signed) != _hashes(statement):
        raise ValueError("the payload of the JWS must name the statement's other attachments: sign them too")


def _hashes(statement: Valid) -> set[str]:
    return {one["sha2"].lower() for one in statement.get("attachments", ()) if not is_signature(one)}


def _object(text: bytes, what: str) -> dict[str, Any]:
    malformed: list[Problem] = []
    found = read(text, "", malformed)
    if found is None or malformed:
        raise ValueError(f"{what} is not well-formed JSON: {malformed[0].message}")
    if not isinstance(found[1], dict):
        raise ValueError(f"{what} must be a JSON object")  # noqa: TRY004 - it is the sender's value
    return found[1]


def _unbase64url(text: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("must be a JWS in compact serialisation: one of its parts is no base64url") from error
