"""RFC 5280 and RFC 7515 section 4.1.6: who vouches for a signer, and when nobody does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from lrs.xapi.certificates import from_pem, is_signed_by, issuer_of, subject, thumbprint
from tests.signing import DAY, Holder, holder, key

NOW = datetime.now(UTC)
ROOT = holder("root")
MIDDLE = holder("middle", ROOT, is_authority=True)
LEAF = holder("leaf", MIDDLE)


def vouching(chain: list[Holder], *pinned: Holder, at: datetime = NOW) -> str | None:
    """Return the name of the pinned issuer that vouches for the first of a chain."""
    found = issuer_of([one.certificate for one in chain], [one.certificate for one in pinned], at)
    return next((one.name for one in pinned if one.certificate == found), None)


def test_an_issuer_vouches_along_the_chain() -> None:
    assert vouching([LEAF, MIDDLE], ROOT) == "root"
    assert vouching([LEAF, MIDDLE, ROOT], ROOT) == "root"


def test_an_issuer_in_the_middle_may_be_pinned() -> None:
    assert vouching([LEAF], MIDDLE) == "middle"


def test_one_of_several_issuers_is_enough() -> None:
    assert vouching([LEAF, MIDDLE], holder("stranger"), ROOT) == "root"


def test_a_signer_may_be_pinned_itself() -> None:
    alone = holder("alone", is_authority=None)
    assert vouching([alone], alone) == "alone"
    assert vouching([alone], alone, at=NOW + 2 * DAY) is None


def test_nobody_vouches_when_a_link_is_missing() -> None:
    assert vouching([LEAF], ROOT) is None
    assert vouching([LEAF, MIDDLE]) is None


def test_nobody_vouches_for_a_stranger() -> None:
    assert vouching([holder("stranger")], ROOT) is None
    assert vouching([LEAF, MIDDLE, ROOT], holder("root", own=key("another root"))) is None


def test_nobody_vouches_by_a_signature_that_is_forged() -> None:
    """The names are right, the signature was made with the wrong key."""
    forger = Holder("middle", key("forger"), MIDDLE.certificate)
    assert vouching([holder("leaf", forger), MIDDLE], ROOT) is None


@pytest.mark.parametrize("is_authority", [False, None])
def test_nobody_vouches_through_a_certificate_that_is_no_authority(is_authority: bool | None) -> None:
    """RFC 5280 section 4.2.1.9: basic constraints."""
    middle = holder("middle", ROOT, is_authority=is_authority)
    assert vouching([LEAF, middle], ROOT) is None


def test_the_length_of_a_path_is_minded() -> None:
    root = holder("root", path_length=0)
    assert vouching([LEAF, holder("middle", root, is_authority=True)], root) is None


@pytest.mark.parametrize("off", [timedelta(days=-2), timedelta(days=2)])
def test_nobody_vouches_outside_of_the_dates(off: timedelta) -> None:
    assert vouching([LEAF, MIDDLE], ROOT, at=NOW + off) is None


def test_each_link_has_dates_of_its_own() -> None:
    over: dict[str, Any] = {"start": NOW - 3 * DAY, "end": NOW - 2 * DAY}
    assert vouching([holder("leaf", MIDDLE, **over), MIDDLE], ROOT) is None
    assert vouching([LEAF, holder("middle", ROOT, is_authority=True, **over)], ROOT) is None
    assert vouching([LEAF, MIDDLE], holder("root", **over)) is None


def test_nobody_vouches_for_a_short_key() -> None:
    """RFC 7518 section 3.3."""
    short = holder("short", ROOT, own=key("short", 1_024))
    assert vouching([short], ROOT) is None
    assert vouching([short], short) is None


def test_an_authority_may_have_another_kind_of_key() -> None:
    root = holder("elliptic", own=ec.generate_private_key(ec.SECP256R1()))
    assert vouching([holder("leaf", root)], root) == "elliptic"


@pytest.mark.parametrize("digest", [hashes.SHA384(), hashes.SHA512()])
def test_certificates_may_be_signed_with_any_strong_hash(digest: hashes.HashAlgorithm) -> None:
    assert vouching([holder("leaf", ROOT, digest=digest)], ROOT) == "root"


def test_a_certificate_has_a_holder_and_a_thumbprint() -> None:
    assert subject(LEAF.certificate) == "CN=leaf"
    assert len(bytes.fromhex(thumbprint(LEAF.certificate))) == 32
    assert from_pem(LEAF.pem) == LEAF.certificate


@pytest.mark.parametrize("pem", [b"", b"no certificate", LEAF.pem + ROOT.pem, LEAF.certificate])
def test_a_file_holds_one_certificate(pem: bytes) -> None:
    with pytest.raises(ValueError, match="exactly one certificate"):
        from_pem(pem)


def test_a_certificate_of_no_known_version_is_refused() -> None:
    """Its version is X.509's third; the byte that says so is made another."""
    version = bytes.fromhex("a003020102")
    assert LEAF.certificate.count(version) == 1
    broken = LEAF.certificate.replace(version, bytes.fromhex("a003020112"))
    with pytest.raises(ValueError, match="x5c"):
        subject(broken)
    with pytest.raises(ValueError, match="x5c"):
        issuer_of([LEAF.certificate, broken], [ROOT.certificate], NOW)


def test_a_signer_without_an_rsa_key_is_refused() -> None:
    other = holder("elliptic", own=ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(ValueError, match="RSA"):
        is_signed_by(other.certificate, "RS256", b"", b"")
