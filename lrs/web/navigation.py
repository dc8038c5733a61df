"""The links of the navigation: which pages there are for whom."""

from __future__ import annotations

from typing import NamedTuple

from flask import current_app

from lrs.store.credentials import Credential
from lrs.web import session

NAVIGATION = "navigation"


class Entry(NamedTuple):
    """A link of the navigation: its words, the endpoint that it leads to, and whether it is for all analysts."""

    words: str
    endpoint: str
    is_for_analysts: bool = False


def entries_for(credential: Credential) -> list[Entry]:
    """Return the navigation of a credential; for who may not see learners, the pages that tell of none."""
    known: list[Entry] = current_app.extensions[NAVIGATION]
    return known if session.may_read(credential) else [one for one in known if one.is_for_analysts]
