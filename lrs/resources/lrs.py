"""What every resource reaches for: settings, database, writer and gate of the running application."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from flask import current_app
from sqlalchemy import Engine

from lrs.recording import Gate
from lrs.settings import Settings
from lrs.store.credentials import Credential
from lrs.store.writer import Writer


@dataclass(slots=True)
class Lrs:
    """The parts of one running learning record store; `trusted` holds credentials looked up a moment ago."""

    settings: Settings
    engine: Engine
    writer: Writer
    gate: Gate
    trusted: dict[str, tuple[float, Credential]] = field(default_factory=dict)


def this_lrs() -> Lrs:
    """Return the learning record store that serves the current request."""
    return cast(Lrs, current_app.extensions["lrs"])
