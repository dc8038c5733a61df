"""`python -m tests.mutants`: run the suite against every mutant, and print which test noticed each.

Exit 1 when a mutant survives, or when the suite fails against what is sound, before or after them.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final

import click
import pytest

from lrs.settings import Settings
from tests.conformance.subject import our_own
from tests.databases import migrate
from tests.mutants.proxy import Proxy, proxied, sound
from tests.mutants.table import MUTANTS, TABLE

NOTHING: Final = "(nothing broken)"
SUITE: Final = Path("tests/conformance")
QUICKLY: Final = ("-x", "--tb=no", "--assert=plain", "-p", "no:hypothesispytest")
"""What explains a failure costs seconds, and nobody reads it."""
LENIENTLY: Final = ("-W", "ignore::ResourceWarning", "-W", "ignore::pytest.PytestUnraisableExceptionWarning")
"""A connection that the failure of the mutant before left open is not noticing anything."""


class FirstFailure:
    """Notes the first test that fails, and how many ran."""

    def __init__(self) -> None:
        self.name = ""
        self.ran = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one report."""
        self.ran += report.when == "call"
        if report.failed and not self.name:
            self.name = report.nodeid.removeprefix(f"{SUITE}/")


def first_failure(*paths: Path) -> str:
    """Run a part of the suite until a test fails; return that test's name, empty when all passed.

    Raises SystemExit when nothing ran, which would say nothing of any mutant.
    """
    noted, told = FirstFailure(), io.StringIO()
    with redirect_stdout(told), redirect_stderr(told):
        code = pytest.main([*QUICKLY, *LENIENTLY, *map(str, paths)], plugins=[noted])
    if not noted.ran or (code != pytest.ExitCode.OK) != bool(noted.name):
        sys.exit(f"the suite did not run: {told.getvalue()}")
    return noted.name


def noticed_by(proxy: Proxy, name: str, parts: Sequence[str]) -> str:
    """Return the test that notices a mutant, empty when none does; the part that should is asked first."""
    first, proxy.mutation = MUTANTS.get(name, (parts[0], sound))
    return first_failure(*_files([first])) or first_failure(*_files(parts))


def _files(parts: Iterable[str]) -> list[Path]:
    return [SUITE / f"test_{part}.py" for part in parts]


@contextmanager
def subject_to_mutation() -> Iterator[Proxy]:
    """Run our server behind a proxy, and let the environment name the proxy as what the suite asks."""
    with tempfile.TemporaryDirectory(prefix="cairn-mutants-") as folder:
        settings = Settings(data_dir=folder, credential_cache_seconds=0.0)
        migrate(settings)
        with our_own(settings) as own, proxied(own.endpoint) as (proxy, endpoint):
            os.environ.update(own._replace(endpoint=endpoint).environment())
            yield proxy


@click.command()
@click.option("--only", multiple=True, type=click.Choice([NOTHING, *MUTANTS]), help="Only these mutants.")
@click.option("--part", multiple=True, type=click.Choice(list(TABLE)), help="Only these parts of the suite.")
@click.option("--quick", is_flag=True, help="Do not run the suite against what is sound.")
def main(only: tuple[str, ...], part: tuple[str, ...], quick: bool) -> None:
    """Plant one fault after the other between server and suite."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    begun, parts = time.monotonic(), part or tuple(TABLE)
    names, survivors = only or tuple(MUTANTS), []
    with subject_to_mutation() as proxy:
        _demand_sound(proxy, parts, quick)
        for name in names:
            test = noticed_by(proxy, name, parts)
            survivors += [] if test else [name]
            _tell(name, test or "SURVIVED")
        _demand_sound(proxy, parts, quick)
    _tell(f"{len(names)} mutants, {len(survivors)} survived", f"{time.monotonic() - begun:.0f} s")
    sys.exit(bool(survivors))


def _demand_sound(proxy: Proxy, parts: Sequence[str], quick: bool) -> None:
    """End the run when the suite fails against what is sound: it would notice everything."""
    if quick:
        return
    proxy.mutation = sound
    test = first_failure(*_files(parts))
    _tell(NOTHING, test or "all passed")
    if test:
        sys.exit("the suite fails where nothing is broken")


def _tell(name: str, outcome: str) -> None:
    click.echo(f"{name:<58} {outcome}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
