"""`python -m tests.bench`: measure, print a table, write bench-results.json."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from lrs.progress import progress_bar
from tests.bench import archiving, folding, memory, posting, reading, rebuilding, what_if
from tests.bench.figures import RESULTS, SCALES, Bench, Figure, show, write
from tests.databases import postgresql_server, postgresql_url

MEASUREMENTS: Final[dict[str, Callable[[Bench], None]]] = {
    "validation": posting.validation,
    "batch": posting.batch,
    "single": posting.single,
    "crowd": posting.crowd,
    "documents": posting.documents,
    "sqlite": posting.sqlite,
    "reading": reading.reading,
    "folding": folding.folding,
    "rebuilding": rebuilding.rebuilding,
    "what_if": what_if.what_if,
    "archiving": archiving.archiving,
    "memory": memory.memory,
}

SETTINGS: Final = ("server_version", "fsync", "synchronous_commit", "shared_buffers", "autovacuum")


@click.command()
@click.option("--scale", type=click.Choice(list(SCALES)), default="small", help="How much is measured.")
@click.option("--only", multiple=True, type=click.Choice(list(MEASUREMENTS)), help="Measure only these.")
def main(scale: str, only: tuple[str, ...]) -> None:
    """Measure Cairn on PostgreSQL and SQLite."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, _interrupted)
    console = Console(width=None if sys.stdout.isatty() else 200)
    server = postgresql_server()
    console.print(_about(server, scale))
    results: dict[str, Figure] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="cairn-bench-") as folder, progress_bar() as tell:
            for name in only or MEASUREMENTS:
                MEASUREMENTS[name](Bench(server, SCALES[scale], tell, Path(folder), results))
    finally:
        if results:
            show(results, console)
            write(results)
            console.print(f"written to {RESULTS.name}")


def _about(server: Engine, scale: str) -> str:
    """Return what the figures stand on; ends the run where a commit would not be durable."""
    try:
        with server.connect() as connection:
            found = {name: str(connection.scalar(text(f"SHOW {name}"))) for name in SETTINGS}
    except OperationalError:
        raise click.ClickException(f"no PostgreSQL answers at {postgresql_url()}; set CAIRN_TEST_POSTGRESQL") from None
    told = ", ".join(f"{name} {value}" for name, value in found.items())
    if (found["fsync"], found["synchronous_commit"]) != ("on", "on"):
        raise click.ClickException(f"a commit on this PostgreSQL is not durable: {told}")
    return f"PostgreSQL: {told}. {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before. Scale {scale}."


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
