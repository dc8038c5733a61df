"""Near misses: what somebody who asked for an unknown address most probably meant, in one table."""

from __future__ import annotations

import re

RESOURCES = (
    "statements", "activities/state", "activities/profile", "activities", "agents/profile", "agents", "about",
)  # fmt: skip
ROOT = "/xapi"
_REST = "|".join(RESOURCES)

HINTS = tuple(
    (re.compile(pattern, re.IGNORECASE).fullmatch, hint)
    for pattern, hint in (
        (rf"{ROOT}/*", f"this is the base of the endpoint, not a resource: add one, such as {ROOT}/statements"),
        (
            rf"(?=.*(?:{ROOT}|{_REST})).*//.*",
            "a slash too many stands in the path: {plain}; set the tool's endpoint without a slash at its end",
        ),
        (rf"{ROOT}/xapi/.*", f"the endpoint stands twice in the path: the tool adds to it, so set it to …{ROOT}"),
        (rf"{ROOT}/statement/?", f"the resource is {ROOT}/statements"),
        (rf"{ROOT}/activit(?:y|ies)/states?/?", f"the resource is {ROOT}/activities/state"),
        (rf"{ROOT}/activit(?:y|ies)/profiles?/?", f"the resource is {ROOT}/activities/profile"),
        (rf"{ROOT}/agents?/profiles?/?", f"the resource is {ROOT}/agents/profile"),
        (rf"{ROOT}/activit(?:y|ies)/?", f"the resource is {ROOT}/activities"),
        (rf"{ROOT}/agents?/?", f"the resource is {ROOT}/agents"),
        (rf"{ROOT}/statements/.+", f"a statement is asked for as {ROOT}/statements?statementId=…"),
        (rf"{ROOT}/(?:{_REST})/?", "the path is written in lower case: {lower}"),
        (rf"{ROOT}(?:/.*)?", f"the resources are {', '.join(f'{ROOT}/{one}' for one in RESOURCES)}"),
        (rf"/(?:.*/)?({_REST})/?", f"the endpoint ends in {ROOT}: {ROOT}/{{resource}}"),
    )
)
"""What a path looks like, and what to say; the first that fits counts."""


def hint_for(path: str) -> str | None:
    """Return how to mend a path that nothing answers at; None where nothing of xAPI was meant."""
    for fits, hint in HINTS:
        if found := fits(path):
            resource = found[1].lower() if found.groups() else ""
            return hint.format(plain=re.sub("/+", "/", path), lower=path.lower(), resource=resource)
    return None
