"""A person with a browser, and what every page owes to whoever cannot see it, or reads it on paper."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.district import Client

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_TOKEN = re.compile(r'name="token" value="([^"]+)"')


@dataclass(frozen=True)
class Browser:
    """A browser with its cookies, before the application."""

    client: FlaskClient

    def get(self, path: str) -> TestResponse:
        """GET a page as a browser does."""
        return self.client.get(path, headers={"Accept": ACCEPT})

    def page(self, path: str) -> str:
        """Return the text of a page that must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, **fields: str) -> TestResponse:
        """Submit a form."""
        return self.client.post(path, data=fields, headers={"Accept": ACCEPT})

    def token(self) -> str:
        """Return the form token of this browser's session."""
        found = _TOKEN.search(self.get("/sign-in").text) or _TOKEN.search(self.get("/").text)
        assert found
        return found[1]

    def sign_in(self, who: Client, wanted: str = "") -> TestResponse:
        """Fill in the form with a credential's key and secret."""
        return self.post("/sign-in", token=self.token(), key=who.key, secret=who.secret, next=wanted)


def browser(app: Flask) -> Browser:
    """Return a browser that nobody has signed in with."""
    return Browser(app.test_client())


def signed_in(who: Client) -> Browser:
    """Return a browser with a credential signed in."""
    found = browser(who.app)
    assert found.sign_in(who).status_code == 303
    return found


@dataclass
class _Sheet(HTMLParser):
    """What a page consists of, and everything that is wrong with it."""

    open: list[str] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)
    labelled: set[str] = field(default_factory=set)
    needing_labels: list[dict[str, str | None]] = field(default_factory=list)
    pointing: list[str] = field(default_factory=list)
    tags: Counter[str] = field(default_factory=Counter)
    tables_without_caption: int = 0
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing that is open, in line {self.getpos()[0]}")

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags[tag] += not (tag == "title" and "svg" in self.open)
        self.wrong += [
            f"<{tag} {name}> is not for a page" for name in values if name == "style" or name.startswith("on")
        ]
        if tag in {"script", "style", "iframe"}:
            self.wrong.append(f"<{tag}> is not for a page")
        if len(values) < len(attrs):
            self.wrong.append(f"<{tag}> has an attribute twice")
        if values.get("id"):
            self.ids[str(values["id"])] += 1
        self._note_words(tag, values)
        self.pointing += (
            str(values.get("aria-labelledby") or "").split() + str(values.get("aria-describedby") or "").split()
        )
        if (values.get("href") or "").startswith("#"):
            self.pointing.append(str(values["href"])[1:])

    def _note_words(self, tag: str, values: dict[str, str | None]) -> None:
        if tag == "img" and "alt" not in values:
            self.wrong.append("<img> has no alt")
        if tag == "svg" and not (values.get("aria-label") or values.get("aria-hidden")):
            self.wrong.append("<svg> has neither words nor aria-hidden")
        if tag == "label":
            self.labelled.add(values.get("for") or "")
        if tag in {"input", "select", "textarea"} and values.get("type") != "hidden":
            self.needing_labels.append(values)
        if tag == "table":
            self.tables_without_caption += 1
        if tag == "caption":
            self.tables_without_caption -= 1
        if tag == "th" and values.get("scope") not in {"row", "col"}:
            self.wrong.append("<th> has no scope")


def faults(html: str) -> list[str]:
    """Return what is wrong with a page: its form, its labels, and what points to nothing."""
    sheet = _Sheet()
    sheet.feed(html)
    sheet.close()
    found = list(sheet.wrong) + [f"<{tag}> is never closed" for tag in sheet.open]
    found += [f"the id {name} stands {count} times" for name, count in sheet.ids.items() if count > 1]
    found += [f"nothing has the id {name}" for name in sheet.pointing if name not in sheet.ids]
    found += [
        f"<input {values.get('name')}> has no label"
        for values in sheet.needing_labels
        if not values.get("aria-label") and values.get("id") not in sheet.labelled
    ]
    found += ["a table has no caption"] * sheet.tables_without_caption
    found += [f"there are {sheet.tags[tag]} <{tag}>" for tag in ("h1", "main", "title") if sheet.tags[tag] != 1]
    return found
