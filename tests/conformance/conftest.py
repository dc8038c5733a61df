"""The endpoint, and a tool of each version that speaks to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from lrs.settings import Settings
from tests.conformance.shelf import KINDS, Shelf
from tests.conformance.subject import Subject, given, our_own
from tests.conformance.tool import Tool, hang_up


def _given() -> Iterator[Subject]:
    found = given()
    assert found is not None
    yield found
    hang_up()


def _our_own(shared_settings: Settings) -> Iterator[Subject]:
    with our_own(shared_settings) as found:
        yield found
        hang_up()


_chosen: Callable[..., Iterator[Subject]] = _given if given() else _our_own
subject = pytest.fixture(scope="session", name="subject")(_chosen)


@pytest.fixture(params=["1.0.3", "2.0.0"])
def tool(request: pytest.FixtureRequest, subject: Subject) -> Tool:
    """A tool of each version, with the credential that may do everything."""
    return Tool(subject, request.param, subject.owner)


@pytest.fixture
def older(subject: Subject) -> Tool:
    """A tool of 1.0.3, for what only that version has."""
    return Tool(subject, "1.0.3", subject.owner)


@pytest.fixture
def newer(subject: Subject) -> Tool:
    """A tool of 2.0, for what only that version has."""
    return Tool(subject, "2.0.0", subject.owner)


@pytest.fixture
def writer(tool: Tool) -> Tool:
    """The same tool, with the credential that may only store statements."""
    if tool.subject.writer is None:
        pytest.skip("no second credential is given")
    return tool.as_writer()


@pytest.fixture
def stranger(tool: Tool) -> Tool:
    """The same tool without any credential."""
    return replace(tool, credential=None)


@pytest.fixture(params=list(KINDS))
def shelf(request: pytest.FixtureRequest, tool: Tool) -> Shelf:
    """Documents of each kind."""
    return Shelf(tool, request.param)


@pytest.fixture
def states(tool: Tool) -> Shelf:
    """Documents of the State Resource."""
    return Shelf(tool, "state")
