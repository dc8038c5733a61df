"""Secrets that must be sent again, and so cannot be hashed: sealed at rest under a key made from the settings' own."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lrs.errors import InvalidRequest

PURPOSE = b"cairn/exchange/v1"


class Seal:
    """Seals and opens secrets under one key (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(SHA256(), 32, None, PURPOSE).derive(secret_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, secret: str) -> bytes:
        """Return a secret as it may be kept."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Return a secret to be used; raises InvalidRequest when it was sealed under another key."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise InvalidRequest(
                "the secret was sealed under another key: give every process the same CAIRN_SECRET_KEY (or data "
                "folder), or create this anew"
            ) from error
