"""Documents of one resource and one owner, of a tool's own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.conformance.tool import Answer, Tool

KINDS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "state": ("activities/state", "stateId", ("activityId", "agent")),
    "activity profile": ("activities/profile", "profileId", ("activityId",)),
    "agent profile": ("agents/profile", "profileId", ("agent",)),
}
"""Of each kind of document the path, the parameter that names one, and those that name its owner."""


@dataclass(frozen=True)
class Shelf:
    """Where documents of one kind lie; `other` replaces parameters of the owner, None leaves one out."""

    tool: Tool
    kind: str
    other: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def kinds() -> list[str]:
        """Return the kinds of documents."""
        return list(KINDS)

    @property
    def owner(self) -> dict[str, Any]:
        """The parameters that every document of the shelf has."""
        own = {"activityId": self.tool.activity("task"), "agent": self.tool.agent("ann")}
        chosen = {name: own[name] for name in KINDS[self.kind][2]} | dict(self.other)
        return {name: value for name, value in chosen.items() if value is not None}

    def of(self, **other: Any) -> Shelf:
        """Return the shelf of another owner."""
        return replace(self, other=other)

    def ask(self, method: str, name: str | None = "one", body: bytes = b"", **more: Any) -> Answer:
        """Send a request for a document, or for all; more parameters begin in lower case, headers do not."""
        path, id_name, _ = KINDS[self.kind]
        query = self.owner | ({} if name is None else {id_name: name})
        query |= {key: value for key, value in more.items() if key[0].islower()}
        headers = {key: value for key, value in more.items() if key[0].isupper()}
        if body:
            headers.setdefault("Content_Type", "application/json")
        return self.tool.ask(method, path, query, body, **headers)

    def create(self, body: bytes, name: str = "one", **more: Any) -> str:
        """Store a document where there is none; return its ETag."""
        answer = self.ask("PUT", name, body, If_None_Match="*", **more)
        assert answer.status == 204, answer.data
        where = {key: value for key, value in more.items() if key[0].islower()}
        tag: str = self.ask("GET", name, **where).headers["ETag"]
        return tag

    def ids(self, **more: Any) -> set[str]:
        """Return the ids of all documents."""
        answer = self.ask("GET", None, **more)
        assert answer.status == 200, answer.data
        found: list[str] = answer.value
        assert len(set(found)) == len(found)
        return set(found)

    def now(self) -> str:
        """Return what the server's clock says, between what was stored before and what is stored from here on."""
        time.sleep(0.005)
        (named,) = self.tool.store(self.tool.statement("clock", "clock", "clock"))
        time.sleep(0.005)
        stored: str = self.tool.one(named)["stored"]
        return stored
