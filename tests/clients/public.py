"""`python -m tests.clients.public FILE…`: whether public xAPI data comes back as it was sent.

Each file (a JSON array or NDJSON, `.gz` or not) is posted to a running server with an empty log, on SQLite and on
PostgreSQL, and read back through the pages of GET /xapi/statements and through `cairn export`. What a record store sets
(`stored`, `authority`, a missing `timestamp` or `version`) is not compared; a lone context activity is one in an array.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests

import wsgi
from lrs.cli import new_credential, new_log
from lrs.settings import Settings
from tests.clients.__main__ import databases
from tests.databases import migrate
from tests.serving import ROOT, Server, served

BATCH = 200
SET_BY_US = ("stored", "authority")
COMPLETED = ("timestamp", "version")


def main() -> None:
    """Send every file on every database; exit 1 when anything came back changed, or did not."""
    changed = 0
    for name, settings in databases():
        migrate(settings)
        for file in map(Path, sys.argv[1:]):
            changed += told(name, settings, file)
    sys.exit(1 if changed else 0)


def told(database: str, settings: Settings, file: Path) -> int:
    """Print what came of a file; return how many of its statements did not come back as they were sent."""
    sent, slug = read(file), file.name.partition(".")[0].replace("_", "-")
    desk = wsgi.desk_of(settings)
    credential = new_credential(
        desk, new_log(desk, slug, slug, f"https://{slug}.example.org"), slug, frozenset({"all"})
    )
    desk.engine.dispose()
    desk.derived.dispose()
    with served(settings) as server, requests.Session() as session:
        session.auth = credential
        session.headers["X-Experience-API-Version"] = "1.0.3"
        refused = posted(server, session, sent)
        by_page = {one["id"]: one for one in pages(server, session)}
    by_export = {one["id"]: one for one in exported(settings, slug)}
    kept = [one for number, one in enumerate(sent) if number not in refused]
    differing = [sum(not is_same(one, found.get(one["id"])) for one in kept) for found in (by_page, by_export)]
    print(
        f"{database}, {file.name}: {len(sent)} posted, {len(refused)} refused, "
        f"{len(kept) - differing[0]} equal by page, {len(kept) - differing[1]} equal by export",
        flush=True,
    )
    for reason, number in Counter(itertools.chain.from_iterable(refused.values())).most_common(20):
        print(f"  refused {number} ×: {reason}")
    return sum(differing)


def read(file: Path) -> list[dict[str, Any]]:
    """Return the statements of a file."""
    data = file.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    if text.lstrip().startswith("["):
        return list(_exactly(text))
    return [_exactly(line) for line in text.splitlines() if line.strip()]


def posted(server: Server, session: requests.Session, sent: Sequence[dict[str, Any]]) -> dict[int, list[str]]:
    """Post statements by batches; return the reasons against those that are refused, by their number."""
    refused: dict[int, list[str]] = {}
    for first in range(0, len(sent), BATCH):
        batch = sent[first : first + BATCH]
        if _post(server, session, batch).status_code != 200:
            for number, one in enumerate(batch, first):
                answer = _post(server, session, [one])
                if answer.status_code != 200:
                    told = answer.json()
                    refused[number] = [f"{one['pointer']} {one['message']}" for one in told.get("problems", [])]
                    refused[number] = refused[number] or [told["detail"]]
    return refused


def _post(server: Server, session: requests.Session, batch: Sequence[dict[str, Any]]) -> requests.Response:
    body = "[" + ",".join(map(_text, batch)) + "]"
    kind = {"Content-Type": "application/json"}
    return session.post(f"{server.endpoint}/statements", data=body.encode(), headers=kind, timeout=60)


def pages(server: Server, session: requests.Session) -> Iterator[dict[str, Any]]:
    """Yield every statement of the log, page by page."""
    more = "/xapi/statements?ascending=true"
    while more:
        answer = session.get(server.endpoint.removesuffix("/xapi") + more, timeout=60)
        answer.raise_for_status()
        page = _exactly(answer.text)
        yield from page["statements"]
        more = page["more"]


def exported(settings: Settings, slug: str) -> Iterator[dict[str, Any]]:
    """Yield every statement of the log, as the command line exports it."""
    environment = {f"CAIRN_{one.name.upper()}": str(getattr(settings, one.name)) for one in fields(settings)}
    command = [sys.executable, "wsgi.py", "export", slug, "--output", "-"]
    found = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True)
    yield from map(_exactly, found.stdout.decode().splitlines())


def is_same(sent: dict[str, Any], got: dict[str, Any] | None) -> bool:
    """Whether a statement came back as it was sent, but for what a record store sets."""
    if got is None:
        return False
    completed = {name for name in COMPLETED if name not in sent}
    return _comparable(sent, set()) == _comparable(got, completed)


def _comparable(one: dict[str, Any], completed: set[str]) -> dict[str, Any]:
    found = {name: value for name, value in one.items() if name not in {*SET_BY_US, *completed}}
    by_kind = found.get("context", {}).get("contextActivities")
    if by_kind:
        arrays = {name: value if isinstance(value, list) else [value] for name, value in by_kind.items()}
        found["context"] = {**found["context"], "contextActivities": arrays}
    return found


def _exactly(text: str) -> Any:
    """Return JSON with its numbers as they are written."""
    return json.loads(text, parse_float=Decimal)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, default=float)


if __name__ == "__main__":
    main()
