"""Another record store, read through its Statement Resource: page after page, oldest first, from where it was left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from urllib.parse import urljoin

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from lrs.enclosing import received
from lrs.errors import CairnError, InvalidRequest, Problem
from lrs.exchange.attached import data_beside, needs_data
from lrs.exchange.importing import Intake, Refused, batches, take
from lrs.exchange.sources import Item
from lrs.store.engine import immediate
from lrs.store.imports import Refusal, checkpoint, keep_refusals, set_checkpoint
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import iso, timestamp_us

OVERLAP_US: Final = 5_000_000
"""So much is read again: `since` excludes its own instant, and some servers round it to the second."""
ATTEMPTS: Final = 6
BACKOFF_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 60
DATA_BYTES: Final = 100_000_000
PAGE_BYTES: Final = 256 * 1024 * 1024
CHUNK_BYTES: Final = 256 * 1024
RETRIED: Final = (429, 500, 502, 503, 504)
ADVICE: Final = {
    401: "the key or the secret is not known there",
    403: "the credential may not read statements there",
    404: "no Statement Resource is there; give the endpoint, such as https://lrs.example.org/xapi",
}


class _Result(msgspec.Struct):
    """A StatementResult (Data 2.5), whose statements stay the texts that they are."""

    statements: list[msgspec.Raw]
    more: str = ""


class _Stored(msgspec.Struct):
    stored: str = ""


@dataclass(frozen=True, slots=True)
class Remote:
    """A record store's endpoint, the credential to read it with, and the version of xAPI to speak."""

    url: str
    key: str
    secret: str
    version: str
    timeout_seconds: float
    data_limit_bytes: int = DATA_BYTES

    @property
    def resource(self) -> str:
        """The address of its Statement Resource."""
        return f"{self.url.rstrip('/')}/statements"

    @property
    def source(self) -> str:
        """The name under which it is remembered how far it was read: another credential may see other statements."""
        return f"{self.resource} as {self.key}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """One page: the texts, and up to which `stored` time the server says that it is complete (None: it does not)."""

    texts: list[bytes]
    consistent_through: int | None


@dataclass(slots=True)
class Count:
    """What an import has come to so far; `stored` is the newest of the other store's times that was read."""

    taken: int = 0
    refused: int = 0
    stored: int = 0


def pages(remote: Remote, since_us: int | None) -> Iterator[Fetched]:
    """Yield the pages of all statements stored after a time; raises InvalidRequest naming the address and the fix."""
    query = {"ascending": "true", **({} if since_us is None else {"since": iso(since_us)})}
    with closing(_session(remote)) as session:
        request = requests.Request("GET", remote.resource, params=query).prepare().url
        seen = set()
        while request:
            if request in seen:
                raise InvalidRequest(f"{remote.resource}: its `more` leads in a circle; its pages cannot be followed")
            seen.add(request)
            result, complete = _page(remote, session, request)
            yield Fetched([bytes(one) for one in result.statements], complete)
            request = urljoin(remote.resource, result.more) if result.more else None


def _session(remote: Remote) -> requests.Session:
    retry = Retry(
        total=ATTEMPTS - 1, backoff_factor=BACKOFF_SECONDS, backoff_max=LONGEST_PAUSE_SECONDS, backoff_jitter=0.5,
        status_forcelist=RETRIED, raise_on_status=False, retry_after_max=LONGEST_PAUSE_SECONDS, redirect=0,
    )  # fmt: skip
    session = requests.Session()
    session.auth = (remote.key, remote.secret)
    session.headers["X-Experience-API-Version"] = remote.version
    session.headers["Accept"] = "application/json"
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _page(remote: Remote, session: requests.Session, address: str) -> tuple[_Result, int | None]:
    _refuse_another_host(remote, address)
    try:
        with session.get(address, timeout=remote.timeout_seconds, stream=True, allow_redirects=False) as response:
            if response.status_code != requests.codes.ok:
                told = ADVICE.get(response.status_code, response.text[:500])
                raise InvalidRequest(f"{remote.resource}: answered {response.status_code}; {told}")
            body = bytearray()
            for chunk in response.iter_content(CHUNK_BYTES):
                body += chunk
                if len(body) > PAGE_BYTES:
                    raise InvalidRequest(f"{remote.resource}: a page of more than {PAGE_BYTES} bytes is not read")
            return msgspec.json.decode(bytes(body), type=_Result), _complete(response)
    except requests.RequestException as error:
        raise InvalidRequest(f"{remote.resource}: cannot be reached ({error}); what was read so far is kept") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidRequest(f"{remote.resource}: the answer is no StatementResult ({error})") from error


def _refuse_another_host(remote: Remote, address: str) -> None:
    """The credential goes to the host that it was given for, wherever `more` leads."""
    if not address.startswith(urljoin(remote.resource, "/")):
        raise InvalidRequest(f"{remote.resource}: its `more` leads to another host, {address}; it is not followed")


def _complete(response: requests.Response) -> int | None:
    try:
        return timestamp_us(response.headers.get("X-Experience-API-Consistent-Through", ""))
    except ValueError:
        return None


def fetch(
    intake: Intake, remote: Remote, since_us: int | None, hear: Callable[[Count, Sequence[Refused]], bool]
) -> Count:
    """Take in what another record store has and this log has not; go on where the last time ended, if it did.

    `hear` is told of each page once it is committed, and stops the import by answering False. A checkpoint is set with
    each page while the pages come in order; else, where a server ignores `ascending`, with the last.
    """
    count, is_in_order = Count(), True
    if since_us is None:
        with intake.engine.connect() as connection:
            known = checkpoint(connection, intake.log_id, intake.source)
        since_us = None if known is None else known - OVERLAP_US
    for page in pages(remote, since_us):
        refused = _taken(intake, remote, page, count)
        times = [one for one in map(_stored, page.texts) if one]
        is_in_order = is_in_order and times == sorted(times) and (not times or times[0] >= count.stored)
        count.stored = max([count.stored, *times])
        _keep(intake, refused, _reached(count, page) if is_in_order else 0)
        if not hear(count, refused):
            return count
    if not is_in_order:
        _keep(intake, [], count.stored)
    return count


def _taken(intake: Intake, remote: Remote, page: Fetched, count: Count) -> list[Refused]:
    """Take a page in, in its order; a statement whose attachments have data here alone goes in by itself, with it."""
    refused: list[Refused] = []
    items = [Item(f"statement {count.taken + count.refused + place}", text) for place, text in enumerate(page.texts, 1)]
    for with_data, some in groupby(items, lambda one: needs_data(one.text)):
        for batch in batches(some, 1 if with_data else intake.batch_limit, intake.limit_bytes):
            taken, wrong = _take_with_data(intake, remote, batch[0]) if with_data else take(intake, batch)
            count.taken += taken
            refused += wrong
    count.refused += len(refused)
    return refused


def _take_with_data(intake: Intake, remote: Remote, item: Item) -> tuple[int, list[Refused]]:
    name = str(stored_statement(item.text).get("id", ""))
    query = {"statementId": name, "attachments": "true"}
    try:
        with (
            closing(_session(remote)) as session,
            session.get(remote.resource, params=query, timeout=remote.timeout_seconds, stream=True) as response,
            data_beside(response, remote.data_limit_bytes) as data,
        ):
            return take(intake, [item], received(intake.engine, data))
    except requests.RequestException as error:
        raise InvalidRequest(f"{remote.resource}: cannot be reached ({error}); what was read so far is kept") from error
    except InvalidRequest as error:
        return 0, [Refused(item, name, (Problem("/attachments", error.message),))]


def _reached(count: Count, page: Fetched) -> int:
    """Return up to where the other store is surely read: no further than it says that it is complete."""
    return count.stored if page.consistent_through is None else min(count.stored, page.consistent_through)


def _stored(text: bytes) -> int:
    try:
        return timestamp_us(msgspec.json.decode(text, type=_Stored).stored)
    except (ValueError, CairnError):
        return 0


def _keep(intake: Intake, refused: Sequence[Refused], stored: int) -> None:
    now = intake.clock()
    rows = [
        Refusal(intake.source, one.item.text, "\n".join(map(str, one.problems)) or "refused", now) for one in refused
    ]
    with immediate(intake.engine).begin() as connection:
        keep_refusals(connection, intake.log_id, rows)
        if stored:
            set_checkpoint(connection, intake.log_id, intake.source, stored)
