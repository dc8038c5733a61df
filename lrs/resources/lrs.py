"""What every resource reaches for: settings, database, writer and gate of the running application."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import current_app
from sqlalchemy import Engine

from lrs.recording import Gate
from lrs.settings import Settings
from lrs.store.credentials import Credential
from lrs.store.writer import Writer

if TYPE_CHECKING:
    from lrs.resources.bearer import Issuer


@dataclass(slots=True)
class Lrs:
    """The parts of one running learning record store.

    `direct` serves lone statements (`lrs.store.engine.committing`); `trusted` holds credentials looked up a moment
    ago; without `issuer` no bearer token is taken.
    """

    settings: Settings
    engine: Engine
    writer: Writer
    gate: Gate
    issuer: Issuer | None = None
    trusted: dict[str, tuple[float, Credential]] = field(default_factory=dict)
    direct: Engine = field(kw_only=True)


def this_lrs() -> Lrs:
    """Return the learning record store that serves the current request."""
    return cast(Lrs, current_app.extensions["lrs"])
