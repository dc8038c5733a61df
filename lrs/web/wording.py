"""What a statement says, in words: who, did what, to what, with which result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

from lrs.xapi.values import iso

Json = Mapping[str, Any]
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def when(moment: str | int | None) -> Markup:
    """Return a moment (ISO 8601, or microseconds since 1970) as a `time` element: readable, exact for machines."""
    if moment is None:
        return Markup("unknown")
    exact = iso(moment) if isinstance(moment, int) else moment
    try:
        at = datetime.fromisoformat(exact)
    except ValueError:
        return Markup("<span>{}</span>").format(exact)
    zone = "UTC" if not at.utcoffset() else at.strftime("%z")
    shown = f"{at.day} {MONTHS[at.month - 1]} {at.year:04}, {at.hour:02}:{at.minute:02} {zone}"
    return Markup('<time datetime="{}">{}</time>').format(exact, shown)


def thousands(number: int) -> str:
    """Return a whole number with commas between its thousands."""
    return f"{number:,}"


def first_text(texts: Any) -> str | None:
    """Return one text of a language map, English before all others."""
    if not isinstance(texts, Mapping) or not texts:
        return None
    return str(texts.get("en") or texts.get("en-US") or next(iter(texts.values())))


def who(agent: Json) -> tuple[str, str]:
    """Return an Agent's or Group's name, and its identifier (empty where the name is the identifier)."""
    identifier = _identifier(agent)
    members = agent.get("member") or ()
    count = f"{len(members)} member{'s' * (len(members) != 1)}" if members else ""
    name = str(agent.get("name") or agent.get("account", {}).get("name") or identifier or "A group")
    beside = ", ".join(part for part in (identifier, count) if part and part != name)
    return name, beside


def _identifier(agent: Json) -> str:
    account = agent.get("account")
    if account:
        return f"{account.get('name')} at {account.get('homePage')}"
    mbox = str(agent.get("mbox", "")).removeprefix("mailto:")
    return mbox or str(agent.get("openid") or agent.get("mbox_sha1sum") or "")


def did(statement: Json) -> tuple[str, str]:
    """Return the verb in words, and its IRI."""
    verb = statement.get("verb", {})
    iri = str(verb.get("id", ""))
    return first_text(verb.get("display")) or iri.rpartition("/")[2] or iri, iri


def what(about: Json) -> tuple[str, str]:
    """Return what a statement is about in words, and the identifier of it."""
    kind = about.get("objectType", "Activity")
    if kind in {"Agent", "Group"}:
        return who(about)
    if kind == "StatementRef":
        return "another statement", str(about.get("id", ""))
    if kind == "SubStatement":
        return f"that {who(about['actor'])[0]} {did(about)[0]} {what(about['object'])[0]}", ""
    iri = str(about.get("id", ""))
    return first_text(about.get("definition", {}).get("name")) or iri, iri


def result_words(result: Json) -> Iterator[tuple[str, str]]:
    """Yield what a result says, as (label, words)."""
    score = result.get("score") or {}
    if "raw" in score:
        lowest = f", lowest {score['min']}" if score.get("min") else ""
        yield "Points", f"{score['raw']}{' of ' + str(score['max']) if 'max' in score else ''}{lowest}"
    if "scaled" in score:
        yield "Scaled score", str(score["scaled"])
    for name, words in (("success", "Passed"), ("completion", "Completed")):
        if name in result:
            yield words, "yes" if result[name] else "no"
    for name, words in (("response", "Response"), ("duration", "Duration")):
        if name in result:
            yield words, str(result[name])
