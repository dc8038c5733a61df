"""What a fold is given: where it reads, where it writes, and what it remembered from the batch before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection


@dataclass(slots=True)
class Run:
    """One projection of one log at work.

    `connection` writes the projection's tables, `log_connection` reads the log; `upstream` names the builds that this
    one reads, `parked` the positions that could not be folded and are left out. `memory` may hold what can be read
    again: it is thrown away when a batch fails.
    """

    connection: Connection
    log_connection: Connection
    log_id: int
    build_id: int
    upstream: Mapping[str, int]
    parked: frozenset[int] = frozenset()
    memory: dict[str, Any] = field(default_factory=dict)
