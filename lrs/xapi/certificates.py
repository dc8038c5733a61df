"""X.509 certificates and RSA signatures: which key signed, and whether somebody who is trusted vouches for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

ALGORITHMS: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {
    "RS256": hashes.SHA256,
    "RS384": hashes.SHA384,
    "RS512": hashes.SHA512,
}
"""RSASSA-PKCS1-v1_5 with these hashes: RFC 7518 section 3.3."""
LEAST_TRUSTED_BITS = 2_048
"""RFC 7518 section 3.3 asks for so many; a shorter key may agree with itself, but nobody can vouch for it."""
_UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)


def is_signed_by(certificate: bytes, algorithm: str, signed: bytes, signature: bytes) -> bool:
    """Tell whether the key of a DER certificate made the signature; raises ValueError when it has no RSA key."""
    key = _rsa_key(_read(certificate))
    if key is None:
        raise ValueError("the first certificate of x5c must have an RSA key")
    try:
        key.verify(signature, signed, PKCS1v15(), ALGORITHMS[algorithm]())
    except InvalidSignature:
        return False
    return True


def subject(certificate: bytes) -> str:
    """Return the name of a DER certificate's holder (RFC 4514)."""
    return _read(certificate).subject.rfc4514_string()


def thumbprint(certificate: bytes) -> str:
    """Return the SHA-256 of a DER certificate in hex."""
    return _read(certificate).fingerprint(hashes.SHA256()).hex()


def from_pem(pem: bytes) -> bytes:
    """Return the one certificate of a PEM file as DER; raises ValueError in words."""
    try:
        (found,) = x509.load_pem_x509_certificates(pem)
    except _UNREADABLE as error:
        raise ValueError("give a PEM file with exactly one certificate") from error
    return found.public_bytes(serialization.Encoding.DER)


def issuer_of(chain: Sequence[bytes], issuers: Sequence[bytes], at: datetime) -> bytes | None:
    """Return which of the issuers vouches for the first certificate of a chain at a time; None when none does.

    RFC 5280: every link's signature, dates and basic constraints, with keys and algorithms that are held to be strong.
    An issuer that is the first certificate itself vouches for it while it is valid.
    """
    first = _read(chain[0])
    key = _rsa_key(first)
    if key is None or key.key_size < LEAST_TRUSTED_BITS:
        return None
    if chain[0] in issuers:
        return chain[0] if first.not_valid_before_utc <= at <= first.not_valid_after_utc else None
    others = [_read(one) for one in chain[1:]]
    return next((one for one in issuers if _vouches(_read(one), first, others, at)), None)


def _vouches(issuer: x509.Certificate, first: x509.Certificate, others: list[x509.Certificate], at: datetime) -> bool:
    verifier = PolicyBuilder().store(Store([issuer])).time(at)
    verifier = verifier.extension_policies(ca_policy=_OF_ISSUERS, ee_policy=ExtensionPolicy.permit_all())
    try:
        verifier.build_client_verifier().verify(first, others)
    except (VerificationError, *_UNREADABLE):
        return False
    return True


_OF_ISSUERS = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
"""The web's further rules (names, uses of the key) are not those of people who sign statements."""


def _rsa_key(certificate: x509.Certificate) -> RSAPublicKey | None:
    try:
        key = certificate.public_key()
    except _UNREADABLE:
        return None
    return key if isinstance(key, RSAPublicKey) else None


def _read(certificate: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(certificate)
    except _UNREADABLE as error:
        raise ValueError("x5c holds what is no X.509 certificate in DER") from error
