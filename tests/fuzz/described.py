"""Inputs that schemathesis makes of our own OpenAPI document: they try whether it tells the truth, too."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from lrs.resources.openapi import document
from tests.fuzz.asked import MINE, Asked, Judge

if TYPE_CHECKING:
    from collections.abc import Sequence


class Notes(Protocol):
    """Takes what came of an input."""

    def note(self, family: str, status: int, wrong: list[str], origin: str, asked: Asked) -> None:
        """Count one answer."""


def run(judge: Judge, inputs: int, number: int, notes: Notes, deadline: float) -> None:
    """Send inputs for every operation in turn, of values that the document allows and of such that it does not."""
    operations = _operations(judge)
    for operation in operations:
        if time.time() > deadline:
            return
        _send(judge, operation, max(inputs // len(operations), 1), number, notes)


def _operations(judge: Judge) -> Sequence[Any]:
    import schemathesis

    schema = schemathesis.openapi.from_dict(document(judge.district.app))
    return [one.ok() for one in schema.get_all_operations()]


def _send(judge: Judge, operation: Any, inputs: int, number: int, notes: Notes) -> None:
    import schemathesis

    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])

    @seed(number)
    @settings(
        max_examples=inputs,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def sent(case: Any) -> None:
        asked = _asked(case)
        if asked is not None:
            status, wrong = judge.outcome(asked)
            told = operation.responses.status_codes
            undescribed = [] if str(status) in told or status in {404, 405} else [f"{status} is not described"]
            notes.note("openapi", status, [*wrong, *undescribed], f"openapi {operation.label} seed {number}", asked)

    sent()


def _asked(case: Any) -> Asked | None:
    """Return a case as a request; None for what cannot stand in one."""
    try:
        made = requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
    except (ValueError, TypeError, UnicodeError, requests.RequestException):
        return None
    path, _, query = made.path_url.partition("?")
    headers = {
        name: value for name, value in made.headers.items() if name.lower() not in {"authorization", "content-length"}
    }
    texts = ((name, value if isinstance(value, str) else value.decode("latin-1")) for name, value in headers.items())
    body = made.body.encode() if isinstance(made.body, str) else made.body or b""
    kind = (
        "document" if path.endswith(("/state", "/profile")) else "query" if made.method in {"GET", "HEAD"} else "header"
    )
    return Asked(kind, made.method or "GET", path, query, (("Authorization", MINE), *texts), body)
