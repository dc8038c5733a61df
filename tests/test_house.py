"""The house as a stranger finds it: its rooms, its settings, its commands and what the README says of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from environs import EnvError

import wsgi
from lrs.settings import Settings, from_environment

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
ROOMS = {"lrs", "projections", "adapters", "migrations", "tests", "docs"}
FILES = {"wsgi.py", "pyproject.toml", "README.md", "Makefile", "LICENSE", "constraints.txt"}


def tracked() -> set[str]:
    """Return the first part of every path that git tracks."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {line.partition("/")[0] for line in listed.splitlines()}


def commands(group: click.Group, prefix: str = "cairn") -> Iterator[str]:
    """Yield every command with its groups in front."""
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from commands(one, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}"


def test_the_top_level_holds_nothing_but_the_rooms() -> None:
    assert {name for name in tracked() if not name.startswith(".")} <= ROOMS | FILES


@pytest.mark.parametrize("name", sorted(ROOMS - {"tests", "docs"}))
def test_every_room_states_its_law(name: str) -> None:
    assert "Law of the room" in (ROOT / name / "__init__.py").read_text()


@pytest.mark.parametrize("one", fields(Settings), ids=lambda one: one.name)
def test_every_setting_stands_in_the_readme_with_its_default_and_its_help(one: object) -> None:
    name, default = one.name, one.default  # type: ignore[attr-defined]
    shown = f"`{default}`" if default != "" else "(empty)"
    assert f"| `CAIRN_{name.upper()}` | {shown} | {one.metadata['help']} |" in README  # type: ignore[attr-defined]


def test_the_readme_names_no_setting_that_there_is_not() -> None:
    of_tests = {"CAIRN_TEST_POSTGRESQL", *(f"CAIRN_CONFORMANCE_{one}" for one in ("ENDPOINT", "KEY", "SECRET"))}
    known = {f"CAIRN_{one.name.upper()}" for one in fields(Settings)} | of_tests
    named = {word for word in README.replace("`", " ").replace("=", " ").split() if word.startswith("CAIRN_")}
    assert {word.rstrip(".,;:)…") for word in named} - {"CAIRN_", ""} <= known


@pytest.mark.parametrize("command", sorted(commands(wsgi.cairn)))
def test_every_command_stands_in_the_readme(command: str) -> None:
    assert f"`{command}" in README


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_PORT", "9999")
    monkeypatch.setenv("CAIRN_WORKER_POLL_SECONDS", "0.5")
    assert from_environment().port == 9999
    assert from_environment().worker_poll_seconds == 0.5


def test_a_setting_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_PORT", "many")
    with pytest.raises(EnvError, match="CAIRN_PORT"):
        from_environment()


def test_on_postgresql_the_projections_live_beside_the_log() -> None:
    assert Settings(database_url="postgresql://h/d").derived_url == "postgresql://h/d"
    assert Settings().derived_url != Settings().log_url


def test_on_sqlite_one_process_serves() -> None:
    from lrs.cli import server_arguments

    def workers(settings: Settings) -> str:
        arguments = server_arguments(settings)
        return arguments[arguments.index("--workers") + 1]

    assert workers(Settings(web_workers=4)) == "1"
    assert workers(Settings(web_workers=4, database_url="postgresql://h/d")) == "4"
