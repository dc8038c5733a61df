"""The two kinds of receivers: another record store's Statement Resource, and a webhook that checks our signature."""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Final

import msgspec
import requests

from lrs.exchange.delivery import NEVER_SENT, Answer, Parcel, Send
from lrs.exchange.enclosed import Body, Enclose
from lrs.store.exchange import Forward

CONNECT_SECONDS: Final = 5.0
CHUNK_BYTES: Final = 64 * 1024
CHUNKS: Final = 16
SHOWN_CHARACTERS: Final = 1_000
DELIVERIES: Final = uuid.UUID("5b7f4b1e-52a0-5a65-9a49-1c8f0e5d2c11")
"""The namespace of delivery ids: the same statements sent again by the same webhook have the same id."""


@dataclass(frozen=True, slots=True)
class Post:
    """How requests are sent: one session, and the longest silence that is waited for."""

    session: requests.Session
    timeout_seconds: float

    def __call__(
        self, url: str, body: bytes | Body, headers: Mapping[str, str], auth: tuple[str, str] | None
    ) -> Answer:
        """POST and return the answer; a redirect is not followed, for it would lose the body."""
        timeout = CONNECT_SECONDS, self.timeout_seconds
        try:
            with self.session.post(
                url, body, headers=headers, auth=auth, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                text = b"".join(islice(response.iter_content(CHUNK_BYTES), CHUNKS)).decode(errors="replace")
                return Answer(response.status_code, text, _seconds(response.headers.get("Retry-After", "")))
        except (requests.RequestException, OSError) as error:
            return Answer(NEVER_SENT, f"no answer: {type(error).__name__}: {error}"[:SHOWN_CHARACTERS])


def _seconds(text: str) -> float:
    """Return what Retry-After asks for: seconds, or a date (RFC 9110 10.2.3)."""
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def record_store(forward: Forward, secret: str, post: Post, enclose: Enclose) -> Send:
    """Return how statements are sent to another record store (xAPI Communication 2.1.2)."""
    plain = {"Content-Type": "application/json", "X-Experience-API-Version": forward.version}
    url = f"{forward.url.rstrip('/')}/statements"

    def send(parcels: Sequence[Parcel]) -> Answer:
        text = _array(parcels)
        body = enclose(text, [one.text for one in parcels])
        headers = plain if body is None else {**plain, "Content-Type": body.content_type}
        answer = post(url, text if body is None else body, headers, (forward.key, secret))
        if answer.status != requests.codes.ok:
            return _shown(answer)
        if _has_ids(answer.text, len(parcels)):
            return Answer(answer.status, was_taken=True)
        return Answer(
            answer.status, "answered 200 without the statements' ids: is this the address of an xAPI endpoint?"
        )

    return send


def _has_ids(text: str, count: int) -> bool:
    """Whether an answer names as many statements as were sent: any other 200 is no proof that they are stored."""
    try:
        return len(msgspec.json.decode(text, type=list[str])) == count
    except (msgspec.DecodeError, UnicodeError):
        return False


def webhook(forward: Forward, secret: str, post: Post, slug: str, clock: Callable[[], float] = time.time) -> Send:
    """Return how statements are sent to a webhook; any 2xx takes them."""

    def send(parcels: Sequence[Parcel]) -> Answer:
        first, last = parcels[0].position, parcels[-1].position
        delivery = str(uuid.uuid5(DELIVERIES, f"{forward.forward_id}/{forward.url}/{first}-{last}"))
        about = {"log": slug, "webhook": forward.name, "delivery": delivery, "from": first, "through": last}
        body = msgspec.json.encode(about)[:-1] + b',"statements":' + _array(parcels) + b"}"
        headers = {
            "Content-Type": "application/json",
            "X-Cairn-Delivery": delivery,
            "X-Cairn-Signature": signature(secret, body, int(clock())),
        }
        answer = post(forward.url, body, headers, None)
        if requests.codes.ok <= answer.status < requests.codes.multiple_choices:
            return Answer(answer.status, was_taken=True)
        return _shown(answer)

    return send


def signature(secret: str, body: bytes, now: int) -> str:
    """Return the header by which a receiver knows that a body comes from who has the secret, and when it was sent."""
    mac = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256)
    return f"t={now},v1={mac.hexdigest()}"


def _array(parcels: Sequence[Parcel]) -> bytes:
    return b"[" + b",".join(one.text for one in parcels) + b"]"


def _shown(answer: Answer) -> Answer:
    text = answer.text[:SHOWN_CHARACTERS].replace("\0", "")
    return Answer(answer.status, text, answer.retry_after)
