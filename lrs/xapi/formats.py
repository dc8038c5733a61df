"""The three formats in which statements are given back (xAPI 1.0.3 Communication 2.1.3): exact, ids, canonical."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from lrs.xapi.activities import COMPONENT_LISTS
from lrs.xapi.actors import IDENTIFIERS

Part: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Any], Any]


def exact(statement: Part) -> Part:
    """Return the statement as it came, but each kind of context Activities as an array (Data 2.4.6.2)."""
    return _changed(statement, {"context": _context_with_arrays, "object": _in_sub_statement(exact)})


def needs_arrays(statement: Part) -> bool:
    """Tell whether `exact` would change the statement; if not, its stored text can be sent as it is."""
    by_kind = statement.get("context", {}).get("contextActivities", {})
    if any(not isinstance(value, list) for value in by_kind.values()):
        return True
    target = statement["object"]
    return target.get("objectType") == "SubStatement" and needs_arrays(target)


def ids(statement: Part) -> Part:
    """Return the statement with only what identifies its Agents, Groups, Activities and Verbs."""
    return _changed(
        exact(statement),
        {"actor": _identity, "authority": _identity, "verb": _id_only, "object": _object_ids, "context": _context_ids},
    )


def canonical(statement: Part, languages: Sequence[str]) -> Part:
    """Return the statement with one language in each language map: the one the reader wants most of those it has.

    Definitions are filtered, not looked up: whoever holds better ones puts them in before.
    """

    def one_language(language_map: Mapping[str, str]) -> dict[str, str]:
        tag = _best(list(language_map), languages)
        return {} if tag is None else {tag: language_map[tag]}

    return _with_maps(exact(statement), one_language)


def languages(accept_language_header: str | None) -> list[str]:
    """Return the language ranges of an Accept-Language header, the most wanted first; refused ones are left out."""
    weighted = [_range_and_weight(item) for item in (accept_language_header or "").split(",")]
    wanted = [(text, weight) for text, weight in weighted if text and weight > 0]
    return [text for text, _ in sorted(wanted, key=lambda pair: -pair[1])]


def _changed(part: Part, changes: Mapping[str, Change]) -> Part:
    """Return a copy of the part, those members changed that have a change."""
    return {key: changes[key](value) if key in changes else value for key, value in part.items()}


def _in_sub_statement(change: Change) -> Change:
    return lambda target: change(target) if target.get("objectType") == "SubStatement" else target


def _context_with_arrays(context: Part) -> Part:
    return _changed(context, {"contextActivities": _arrays})


def _arrays(by_kind: Part) -> dict[str, list[Part]]:
    return {kind: value if isinstance(value, list) else [value] for kind, value in by_kind.items()}


def _id_only(part: Part) -> Part:
    return {"id": part["id"]}


def _identity(actor: Part) -> Part:
    """Return an actor with objectType and identifier; an Anonymous Group is identified by its members."""
    kept = {key: value for key, value in actor.items() if key == "objectType" or key in IDENTIFIERS}
    if kept.keys().isdisjoint(IDENTIFIERS):
        kept["member"] = [_identity(member) for member in actor["member"]]
    return kept


def _object_ids(target: Part) -> Part:
    changes: Mapping[str, Change] = {
        "Activity": _id_only,
        "Agent": _identity,
        "Group": _identity,
        "StatementRef": dict,
        "SubStatement": ids,
    }
    reduced: Part = changes[target.get("objectType", "Activity")](target)
    return reduced


def _context_ids(context: Part) -> Part:
    return _changed(
        context,
        {
            "instructor": _identity,
            "team": _identity,
            "contextActivities": lambda by_kind: {kind: list(map(_id_only, by_kind[kind])) for kind in by_kind},
            "contextAgents": lambda entries: [_changed(entry, {"agent": _identity}) for entry in entries],
            "contextGroups": lambda entries: [_changed(entry, {"group": _identity}) for entry in entries],
        },
    )


def _with_maps(statement: Part, change: Change) -> Part:
    """Return a statement, or SubStatement, with every language map changed."""
    return _changed(
        statement,
        {
            "verb": lambda verb: _changed(verb, {"display": change}),
            "object": lambda target: _object_with_maps(target, change),
            "context": lambda context: _context_with_maps(context, change),
            "attachments": lambda items: [_changed(item, {"display": change, "description": change}) for item in items],
        },
    )


def _object_with_maps(target: Part, change: Change) -> Part:
    is_nested = target.get("objectType") == "SubStatement"
    return _with_maps(target, change) if is_nested else _activity_with_maps(target, change)


def _context_with_maps(context: Part, change: Change) -> Part:
    def by_kind(kinds: dict[str, list[Part]]) -> dict[str, list[Part]]:
        return {kind: [_activity_with_maps(activity, change) for activity in kinds[kind]] for kind in kinds}

    return _changed(context, {"contextActivities": by_kind})


def _activity_with_maps(activity: Part, change: Change) -> Part:
    def components(items: list[Part]) -> list[Part]:
        return [_changed(item, {"description": change}) for item in items]

    maps = {"name": change, "description": change, **dict.fromkeys(COMPONENT_LISTS, components)}
    return _changed(activity, {"definition": lambda definition: _changed(definition, maps)})


def _best(tags: Sequence[str], ranges: Sequence[str]) -> str | None:
    """Return the tag that suits best: as RFC 2616 section 14.4 matches, else the nearest, then English, then any."""
    wanted = [one.lower() for one in ranges if one != "*"]
    matched = [(_rank(tag.lower(), wanted), tag) for tag in tags]
    fitting = [(rank, tag.lower() != wanted[rank], tag) for rank, tag in matched if rank is not None]
    if fitting:
        return min(fitting, key=lambda one: one[:2])[2]
    return _nearest(tags, wanted)


def _rank(tag: str, wanted: Sequence[str]) -> int | None:
    """Return the place of the longest range that is the tag or that the tag goes on from; None when there is none."""
    matching = [one for one in wanted if tag == one or tag.startswith(f"{one}-")]
    return wanted.index(max(matching, key=len)) if matching else None


def _nearest(tags: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Return the tag that RFC 4647 looks up, or one that begins as wanted, or English, or the first."""
    by_lower = {tag.lower(): tag for tag in tags}
    shortened = [part for one in wanted for part in _shortened(one)]
    for part in shortened:
        if part in by_lower:
            return by_lower[part]
    for part in (*shortened, "en"):
        for lowered, tag in by_lower.items():
            if lowered == part or lowered.startswith(f"{part}-"):
                return tag
    return tags[0] if tags else None


def _shortened(wanted: str) -> Iterator[str]:
    """Yield a range, then that range without its last part and so on (RFC 4647 section 3.4)."""
    parts = wanted.split("-")
    while parts:
        yield "-".join(parts)
        parts.pop()
        if parts and len(parts[-1]) == 1:
            parts.pop()


def _range_and_weight(item: str) -> tuple[str, float]:
    """Return one item of Accept-Language; a weight that cannot be read counts as none at all."""
    text, _, parameter = item.partition(";")
    name, _, weight = parameter.partition("=")
    if name.strip().lower() != "q":
        return text.strip(), 1.0
    found = _WEIGHT(weight.strip())
    return text.strip(), float(found[0]) if found else 0.0


_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?").fullmatch
