"""The machinery of the mutants; all of them are run by `make mutants`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.table import MUTANTS, TABLE

ROOT = Path(__file__).parent.parent.parent
FEW = {
    "since is inclusive": "test_XAPI_00175",
    "If-Match of DELETE is ignored": "test_XAPI_00322",
    "extensions without nulls": "test_D_2_2",
    "pages by offset": "test_D_2_5",
}


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the mutants as `make mutants` does."""
    command = [sys.executable, "-m", "tests.mutants", "--quick", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_there_are_as_many_mutants_as_were_asked_for_and_no_two_of_one_name() -> None:
    assert len(MUTANTS) == sum(map(len, TABLE.values())) >= 30


@pytest.mark.parametrize("part", TABLE)
def test_the_part_of_the_suite_that_is_asked_first_exists(part: str) -> None:
    assert (ROOT / "tests" / "conformance" / f"test_{part}.py").exists()


@pytest.mark.slow
def test_a_fault_is_noticed_by_the_test_that_holds_it() -> None:
    ended = run(*(word for name in FEW for word in ("--only", name)))
    lines = ended.stdout.splitlines()
    for line, (name, test) in zip(lines, FEW.items(), strict=False):
        assert line.startswith(name), ended.stdout + ended.stderr
        assert f"::{test}" in line
    assert (ended.returncode, lines[-1].partition(",")[0]) == (0, f"{len(FEW)} mutants")


@pytest.mark.slow
def test_what_breaks_nothing_survives_and_is_told() -> None:
    ended = run("--only", "(nothing broken)", "--part", "alternate")
    assert ended.returncode == 1
    assert "SURVIVED" in ended.stdout
