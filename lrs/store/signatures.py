"""What was found of signatures, and the certificates that are trusted to vouch for a credential's signers."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from lrs.errors import NotFound
from lrs.store.log import Log
from lrs.store.tables import credential, signature, statement, trusted_issuer
from lrs.xapi.signatures import Finding


class Issuer(NamedTuple):
    """A trusted certificate: the SHA-256 of it in hex, its holder's name, and itself in DER."""

    thumbprint: str
    subject: str
    certificate: bytes


def findings_of(connection: Connection, log_id: int, statement_id: str) -> list[Finding]:
    """Return what was found of a statement's signatures when it came; none for an unsigned or unknown one."""
    query = (
        select(
            signature.c.sha2, signature.c.algorithm, signature.c.outcome,
            signature.c.subject, signature.c.thumbprint, signature.c.issuer,
        )
        .join_from(
            statement, signature,
            (statement.c.log_id == signature.c.log_id) & (statement.c.position == signature.c.position),
        )
        .where(statement.c.log_id == log_id, statement.c.statement_id == statement_id)
        .order_by(signature.c.sha2)
    )  # fmt: skip
    return [Finding(sha2.hex(), *others) for sha2, *others in connection.execute(query)]


def issuers_of(connection: Connection, log_: Log, key: str) -> list[Issuer]:
    """Return the certificates that are trusted for a credential of a log."""
    columns = trusted_issuer.c.thumbprint, trusted_issuer.c.subject, trusted_issuer.c.certificate
    query = (
        select(*columns)
        .join_from(trusted_issuer, credential, trusted_issuer.c.key == credential.c.key)
        .where(credential.c.log_id == log_.log_id, trusted_issuer.c.key == key)
        .order_by(trusted_issuer.c.thumbprint)
    )
    return [Issuer(*row) for row in connection.execute(query)]


def trust(connection: Connection, log_: Log, key: str, certificate: bytes, now: int) -> Issuer:
    """Let a certificate, in DER, vouch for the signers of a credential from now on; raises NotFound."""
    _require(connection, log_, key)
    from lrs.xapi.certificates import subject, thumbprint

    issuer = Issuer(thumbprint(certificate), subject(certificate), certificate)
    if issuer not in issuers_of(connection, log_, key):
        connection.execute(insert(trusted_issuer).values(key=key, added=now, **issuer._asdict()))
    return issuer


def untrust(connection: Connection, log_: Log, key: str, of_certificate: str) -> None:
    """Let the certificate with this thumbprint vouch no more; what was found until now stays. Raises NotFound."""
    _require(connection, log_, key)
    one = trusted_issuer.c.key == key, trusted_issuer.c.thumbprint == of_certificate.lower()
    if connection.execute(delete(trusted_issuer).where(*one)).rowcount == 0:
        raise NotFound(f"no certificate {of_certificate} is trusted for {key}; `cairn credentials issuers` shows them")


def _require(connection: Connection, log_: Log, key: str) -> None:
    query = select(credential.c.key).where(credential.c.log_id == log_.log_id, credential.c.key == key)
    if connection.scalar(query) is None:
        raise NotFound(f"the log {log_.slug!r} has no credential {key!r}; `cairn credentials list` shows them")
