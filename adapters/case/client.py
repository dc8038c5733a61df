"""CASE packages from a file or from a server."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from lrs.errors import InvalidRequest

LIMIT_BYTES: Final = 50 * 1024 * 1024
CHUNK_BYTES: Final = 64 * 1024
ATTEMPTS: Final = 4
BACKOFF_SECONDS: Final = 0.5


def read_package(source: str, timeout_seconds: float) -> dict[str, object]:
    """Return the JSON object at a file path or an http(s) address, of at most 50 MB.

    `timeout_seconds` is the longest silence of the server. An address is tried again, each time after a longer wait,
    when it times out, refuses the connection or answers with 5xx. Raises InvalidRequest, naming the source and the fix.
    """
    is_address = source.lower().startswith(("http://", "https://"))
    return parsed(source, download(source, timeout_seconds) if is_address else file_bytes(source))


def file_bytes(source: str) -> bytes:
    """Return a file's content; raises InvalidRequest when it cannot be read or is too large."""
    try:
        with Path(source).open("rb") as file:
            content = file.read(LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{source}: cannot be read ({error}); give a file path or an http(s) address") from error
    within_limit(source, len(content))
    return content


def download(address: str, timeout_seconds: float) -> bytes:
    """Return what a server answers; raises InvalidRequest when it gives no package after all attempts."""
    try:
        with patient_session() as session, session.get(address, timeout=timeout_seconds, stream=True) as response:
            if response.status_code != requests.codes.ok:
                raise InvalidRequest(f"{address}: answered {response.status_code}; {advice(response.status_code)}")
            return body_of(address, response)
    except requests.RequestException as error:
        raise InvalidRequest(f"{address}: cannot be reached ({error}); check the address or give a file") from error


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


def body_of(address: str, response: requests.Response) -> bytes:
    """Return a streamed body, reading no further than the limit."""
    body = BytesIO()
    for chunk in response.iter_content(CHUNK_BYTES):
        within_limit(address, body.tell() + len(chunk))
        body.write(chunk)
    return body.getvalue()


def within_limit(source: str, size_bytes: int) -> None:
    """Raise InvalidRequest for a package over the limit."""
    if size_bytes > LIMIT_BYTES:
        raise InvalidRequest(f"{source}: more than {LIMIT_BYTES // 1024**2} MB; give one CFPackage, not a whole server")


def parsed(source: str, content: bytes) -> dict[str, object]:
    """Return the JSON object that was read; raises InvalidRequest for anything else."""
    try:
        package = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{source}: not JSON ({error}); a CFPackage in JSON is needed, not CSV or HTML") from error
    if not isinstance(package, dict):
        raise InvalidRequest(f"{source}: not a JSON object; give a whole CFPackage")
    return package
