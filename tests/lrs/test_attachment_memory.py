"""The real server holds no more than pieces of an attachment, on its way in and on its way out."""

from __future__ import annotations

import http.client
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lrs.settings import Settings
from tests.bench.stores import WebServer, web_server
from tests.district import Client, open_district, statement
from tests.parcels import KIND, declared, mixed, part

pytestmark = pytest.mark.slow
MB = 1_000_000
PAGE_CACHE_MB = 32
"""SQLite fills its cache once; that is no copy of the data."""


@contextmanager
def _served(settings: Settings) -> Iterator[tuple[WebServer, Client]]:
    chosen = replace(settings, web_workers=1)
    with open_district(chosen) as district, web_server(chosen) as server:
        yield server, district.with_new_log("memory").someone


def _grown(server: WebServer, client: Client, method: str, path: str, body: bytes | None) -> tuple[int, float]:
    """Send a request; return the length of its answer and by how many MB the worker's peak rose above what it held."""
    before = _forget_peak(server)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        headers = {**client.headers, "Content-Type": KIND["Content_Type"]}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        length = len(answer.read())
    assert answer.status == 200
    return length, server.peak_mb() - before


def _forget_peak(server: WebServer) -> float:
    """Let the peak begin anew at what is held now (proc_pid_clear_refs(5))."""
    for child in Path(f"/proc/{server.process}/task/{server.process}/children").read_text().split():
        Path(f"/proc/{child}/clear_refs").write_text("5")
    return server.peak_mb()


def test_an_attachment_never_stands_whole_in_memory(own_settings: Settings) -> None:
    """3 MB take no more than three times their bytes, and ten times as many take no more but for a cache."""
    with _served(own_settings) as (server, client):
        for size, most_mb in ((1_000, 9.0), (3 * MB, 9.0), (30 * MB, 9.0 + PAGE_CACHE_MB), (30 * MB, 9.0)):
            data = secrets.token_bytes(size)
            sent = statement(attachments=[declared(data)])
            _, grown_in = _grown(server, client, "POST", "/xapi/statements", mixed(sent, part(data)))
            path = f"/xapi/statements?attachments=true&statementId={sent['id']}"
            length, grown_out = _grown(server, client, "GET", path, None)
            assert length > size
            assert grown_in < most_mb
            assert grown_out < 9.0
