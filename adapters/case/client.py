"""CASE packages from a file or from a server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from lrs.errors import InvalidRequest

LIMIT_BYTES: Final = 50 * 1024 * 1024
CHUNK_BYTES: Final = 64 * 1024
ATTEMPTS: Final = 4
BACKOFF_SECONDS: Final = 0.5
PAGE: Final = 100
MOST_DOCUMENTS: Final = 10_000
MOST_NAMED: Final = 20
VERSIONS: Final = ("v1p1", "v1p0")

Tell: TypeAlias = Callable[[str, int, int], None]
_package = re.compile(r"(.*)/CF(?:Packages|Documents)/([^/?#]+)/?\Z")
_base = re.compile(r"(.*/ims/case/v[0-9]+p[0-9]+)(?:/(?:CFDocuments|CFPackages))?/?\Z")


def read_package(
    source: str, timeout_seconds: float, document: str | None = None, tell: Tell = lambda *_: None
) -> dict[str, object]:
    """Return the package at a file path or an http(s) address, of at most 50 MB.

    The address may be that of a CFPackage, of a CFDocument, or of a server (`https://host`, `…/ims/case/v1p1`); then
    `document` is the identifier of the one that is wanted, and needs none where the server has only one.
    `timeout_seconds` is the longest silence of the server. An address is tried again, each time after a longer wait,
    when it times out, refuses the connection or answers with 5xx. `tell(what, done, total)` is told of the bytes read.
    Raises InvalidRequest, naming the source and the fix.
    """
    if not source.lower().startswith(("http://", "https://")):
        return parsed(source, file_bytes(source))
    with patient_session() as session:
        server = Server(session, timeout_seconds, tell)
        found = _package.match(source)
        if found:
            return server.package(found[1], found[2])
        base = _base.match(source)
        if base or urlsplit(source).path.strip("/") == "":
            bases = [base[1]] if base else [f"{source.rstrip('/')}/ims/case/{version}" for version in VERSIONS]
            return server.chosen(bases, document)
        return server.read(source)


class Server:
    """A CASE server, asked through one session."""

    def __init__(self, session: requests.Session, timeout_seconds: float, tell: Tell) -> None:
        self._session, self._timeout, self._tell = session, timeout_seconds, tell

    def read(self, address: str) -> dict[str, object]:
        """Return the JSON object at an address; raises InvalidRequest when there is none after all attempts."""
        return parsed(address, self._download(address))

    def package(self, base: str, identifier: str) -> dict[str, object]:
        """Return the package of a document; raises InvalidRequest."""
        return self.read(f"{base}/CFPackages/{identifier}")

    def chosen(self, bases: list[str], document: str | None) -> dict[str, object]:
        """Return the package of a document at the first of the bases that there is, or of the only one there."""
        for base in bases:
            try:
                return self.package(base, quote(document or self.only_document(base), safe=""))
            except Missing as error:
                missing = error
        raise missing

    def only_document(self, base: str) -> str:
        """Return the identifier of the only document of a server; raises InvalidRequest with the choice there is."""
        found = list(self.documents(base))
        if len(found) == 1:
            return str(found[0].get("identifier"))
        named = [f"  {one.get('identifier')}  {one.get('title')}" for one in found[:MOST_NAMED]]
        more = [f"  and {len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else []
        choice = "\n".join([f"{base}: has {len(found)} documents; say which with --document IDENTIFIER", *named, *more])
        raise InvalidRequest(choice)

    def documents(self, base: str) -> Iterator[dict[str, Any]]:
        """Yield the documents of a server, page by page, until a page is not full or brings nothing new."""
        known: set[str] = set()
        for offset in range(0, MOST_DOCUMENTS, PAGE):
            answer = self.read(f"{base}/CFDocuments?limit={PAGE}&offset={offset}")
            rows = answer.get("CFDocuments")
            found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
            new = [row for row in found if row.get("identifier") not in known]
            known |= {str(row.get("identifier")) for row in new}
            yield from new
            if len(found) < PAGE or not new:
                return

    def _download(self, address: str) -> bytes:
        try:
            with self._session.get(address, timeout=self._timeout, stream=True) as response:
                if response.status_code != requests.codes.ok:
                    refuse(address, response.status_code)
                return body_of(address, response, self._tell)
        except requests.RequestException as error:
            raise InvalidRequest(f"{address}: cannot be reached ({error}); check the address or give a file") from error


class Missing(InvalidRequest):
    """The server has nothing at this address."""


def refuse(address: str, status: int) -> NoReturn:
    """Raise what a person can do about an answer that is not 200."""
    kind = Missing if status == requests.codes.not_found else InvalidRequest
    raise kind(f"{address}: answered {status}; {advice(status)}")


def file_bytes(source: str) -> bytes:
    """Return a file's content; raises InvalidRequest when it cannot be read or is too large."""
    try:
        with Path(source).open("rb") as file:
            content = file.read(LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{source}: cannot be read ({error}); give a file path or an http(s) address") from error
    within_limit(source, len(content))
    return content


def patient_session() -> requests.Session:
    """Return a session that tries again on time-outs, refused connections and 5xx."""
    retry = Retry(
        total=ATTEMPTS - 1,
        backoff_factor=BACKOFF_SECONDS,
        status_forcelist=(500, 502, 503, 504),
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def advice(status: int) -> str:
    """Return what a person can do about an answer that is not 200."""
    if status in (401, 403):
        return "this package is not public: download it with your account and give the file"
    if status >= 500:
        return f"the server failed {ATTEMPTS} times: try later or give a file"
    return "the address of a CFPackage is needed, as /ims/case/v1p0/CFPackages/{identifier}"


def body_of(address: str, response: requests.Response, tell: Tell) -> bytes:
    """Return a streamed body, reading no further than the limit."""
    body = BytesIO()
    told = response.headers.get("Content-Length", "")
    total = int(told) if told.isdecimal() else 0
    for chunk in response.iter_content(CHUNK_BYTES):
        within_limit(address, body.tell() + len(chunk))
        body.write(chunk)
        tell("bytes read", body.tell(), max(total, body.tell()))
    return body.getvalue()


def within_limit(source: str, size_bytes: int) -> None:
    """Raise InvalidRequest for a package over the limit."""
    if size_bytes > LIMIT_BYTES:
        raise InvalidRequest(f"{source}: more than {LIMIT_BYTES // 1024**2} MB; give one CFPackage, not a whole server")


def parsed(source: str, content: bytes) -> dict[str, object]:
    """Return the JSON object that was read; raises InvalidRequest for anything else."""
    try:
        package = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{source}: not JSON ({error}); a CFPackage in JSON is needed, not CSV or HTML") from error
    if not isinstance(package, dict):
        raise InvalidRequest(f"{source}: not a JSON object; give a whole CFPackage")
    return package


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")
