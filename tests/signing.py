"""Signers for tests: keys, certificates of an authority of their own, and signatures as RFC 7515 has them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from lrs.xapi.attachments import SIGNATURE
from tests.parcels import declared

HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "RS256": hashes.SHA256,
    "RS384": hashes.SHA384,
    "RS512": hashes.SHA512,
}
DAY = timedelta(days=1)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@lru_cache(maxsize=16)
def key(name: str, bits: int = 2_048) -> rsa.RSAPrivateKey:
    """Return the key of somebody, always the same."""
    return rsa.generate_private_key(65_537, bits)


@dataclass(frozen=True)
class Holder:
    """Somebody with a key and a certificate."""

    name: str
    key: Key
    certificate: bytes

    @property
    def pem(self) -> bytes:
        """The certificate as a file has it."""
        return x509.load_der_x509_certificate(self.certificate).public_bytes(serialization.Encoding.PEM)


def holder(name: str, by: Holder | None = None, **more: Any) -> Holder:
    """Return somebody whose certificate another signed; without one, it signs its own. `more`: what is unusual.

    `is_authority` (None: it does not say), `own` (key), `start`, `end`, `digest`, `path_length`.
    """
    own: Key = more.get("own") or key(name)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(by.name if by else name))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(more.get("start", now - DAY))
        .not_valid_after(more.get("end", now + DAY))
    )
    is_authority: bool | None = more.get("is_authority", by is None)
    if is_authority is not None:
        path_length = more.get("path_length") if is_authority else None
        builder = builder.add_extension(x509.BasicConstraints(is_authority, path_length), critical=True)
    certificate = builder.sign(by.key if by else own, more.get("digest", hashes.SHA256()))
    return Holder(name, own, certificate.public_bytes(serialization.Encoding.DER))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def jws(
    payload: Any, signer: rsa.RSAPrivateKey, chain: Sequence[bytes] = (), algorithm: str = "RS256", **header: Any
) -> bytes:
    """Return a JWS in compact serialisation; `payload` is a JSON value, or text as it is."""
    members = {"alg": algorithm, **header}
    if chain:
        members["x5c"] = [base64.b64encode(one).decode() for one in chain]
    text = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    signed = base64url(msgspec.json.encode(members)) + b"." + base64url(text)
    digest = HASHES.get(algorithm, hashes.SHA256)()
    return signed + b"." + base64url(signer.sign(signed, PKCS1v15(), digest))


def base64url(data: bytes) -> bytes:
    """Return data in base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signed(statement: dict[str, Any], *signatures: bytes, **more: Any) -> dict[str, Any]:
    """Return a statement with its signatures declared, behind what it had."""
    kinds = {"usageType": SIGNATURE, "contentType": "application/octet-stream", **more}
    return {
        **statement,
        "attachments": [*statement.get("attachments", []), *(declared(one, **kinds) for one in signatures)],
    }
