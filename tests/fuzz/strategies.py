"""Requests of every kind: each family is a strategy of requests, most of them nearly right."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from urllib.parse import quote

from hypothesis import strategies as st

from lrs.resources.alternate import FORM, METHODS
from tests.fuzz.asked import MINE, Asked, as_alternate, basic
from tests.fuzz.texts import IDS, IRIS, TIMES, WORDS, damaged, mutated, odd, text_of, valid

OLDER, NEWER = (("X-Experience-API-Version", one) for one in ("1.0.3", "2.0.0"))
VERSIONS = st.sampled_from([OLDER, OLDER, NEWER, NEWER, ("X-Experience-API-Version", "1.0.1")])
JSON = ("Content-Type", "application/json")
MY = ("Authorization", MINE)
DOCUMENTS = ("/xapi/activities/state", "/xapi/activities/profile", "/xapi/agents/profile")
PATHS = ("/xapi/statements", "/xapi/activities", "/xapi/agents", "/xapi/about", *DOCUMENTS)
APIS = (
    "/api/v1/refusals", "/api/v1/refusals/1", "/api/v1/learners", "/api/v1/learners/00000000000000ff/mastery",
    "/api/v1/learners/x/credit", "/api/v1/decisions/m.00000000000000ff.00000000000000ff.1", "/api/v1/quarantine",
    f"/api/v1/statements/{IDS[0]}/signatures", "/api/v1/decisions/x/audit", "/api/v1/refusals/99999999999999999999",
    "/api/openapi.json",
)  # fmt: skip
AGENTS = [json.dumps(one) for one in ({"mbox": "mailto:ann@example.org"}, {"openid": "https://id.example.org/é"})]
KINDS = [
    "application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/octet-stream",
    "text/plain", "",
    "text/html", "multipart/mixed", "multipart/mixed; boundary=", "multipart/form-data; boundary=x",
    "application/json;;=",
    "application/x-www-form-urlencoded", 'a/b; c="', "\xff/\xfe", "application/json, text/plain", "x" * 3_000, "/",
]  # fmt: skip
TAGS_GIVEN = [
    "*",
    '"*"',
    f'"{"0" * 40}"',
    'W/"x"',
    "x",
    '"',
    "",
    ",,,",
    f'"{hashlib.sha1(b"{}").hexdigest()}"',
    "\xff",
    "*, x",
]
LANGUAGES = [
    "de",
    "en-GB, de;q=0.5",
    "*",
    "en;q=9",
    "en;q=x",
    ";",
    "q=1",
    ",",
    "x" * 2_000,
    "\xff",
    "de-DE-1996;q=0.0001",
]
HEADERS = {
    "X-Experience-API-Version": ["", "1.0", "1.0.9", "2.0", "0.9", "3", "1.0.3, 2.0.0", "1.0.x", "\xff", "9" * 500,
    "2.0.0\t"],
    "Authorization": [
        "", "Basic", "Basic x", "Basic " + "=" * 50, basic("a:b"), basic("\x00:\x00"), basic("ü:é"), basic(":"),
        "Bearer x",
        "Bearer ", "Digest a=b", "basic \xff", "Basic " + "QQ" * 4_000, basic("a" * 3_000), "Bearer a.b.c",
        "Basic Og==",
    ],
    "Content-Type": KINDS,
    "Content-Encoding": ["gzip", "x-gzip", "br", "deflate", "identity", "", "gzip, gzip", "GZIP ", "\xff"],
    "Accept": ["", "text/html", "*/*;q=0", "\xff"],
    "Accept-Encoding": ["gzip", "gzip;q=0", "*;q=0", "", "br;q=x", ","],
    "Accept-Language": LANGUAGES,
    "If-Match": TAGS_GIVEN,
    "If-None-Match": TAGS_GIVEN,
    "If-Modified-Since": ["", "x", "Sat, 32 Foo 9999 99:99:99 GMT"],
    "Origin": ["null", "https://x.example.org", "\xff", ""],
    "Range": ["bytes=0-1", "bytes=-", "x"],
    "Host": ["", "a b", "[::1", "x" * 500, "\xff"],
    "Cookie": ["session=x", "=;=", "\xff", "session=" + "." * 500],
    "X-Forwarded-For": ["x"],
    "Expect": ["100-continue", "x"],
    "Transfer-Encoding": ["chunked", "x"],
}  # fmt: skip
PARAMETERS = {
    "statementId": IDS, "voidedStatementId": IDS, "agent": AGENTS, "verb": IRIS[:2], "activity": IRIS[:2],
    "activityId": IRIS[:2],
    "registration": IDS, "related_agents": ["true", "false"], "related_activities": ["true", "false"],
    "since": TIMES[:3],
    "until": TIMES[:3], "limit": ["0", "1", "2", "500", "-1", "9" * 30, "1.5", "٣", " 1"], "format": ["ids", "exact",
    "canonical"],
    "attachments": ["true", "false"], "ascending": ["true", "false", "TRUE"], "more": ["1", "2", "0", "9" * 18,
    "9" * 19, "x"],
    "stateId": ["s", "t", "é", " "], "profileId": ["p", "q/..", "\x7f"], "as_of": ["1", "0", "-1", "9" * 30, *TIMES],
    "after": ["f" * 16],
    "before": ["1", "9" * 20], "status": ["400", "x"], "credential": ["x"], "method": ["GET"], "": [""],
    "unknown": ["1"],
}  # fmt: skip
TAKEN = {
    "/xapi/statements": (
        "agent", "verb", "activity", "registration", "related_agents", "related_activities", "since", "until", "limit",
        "format", "attachments", "ascending", "more", "statementId", "voidedStatementId",
    ),
    "/xapi/activities": ("activityId",),
    "/xapi/agents": ("agent",),
    "/xapi/activities/state": ("activityId", "agent", "stateId", "registration", "since"),
    "/xapi/activities/profile": ("activityId", "profileId", "since"),
    "/xapi/agents/profile": ("agent", "profileId", "since"),
}  # fmt: skip
NEEDED = {
    "/xapi/activities/state": ("activityId", "agent", "stateId"),
    "/xapi/activities/profile": ("activityId", "profileId"),
    "/xapi/agents/profile": ("agent", "profileId"),
}

_odd_texts = odd.map(lambda one: one if isinstance(one, str) else text_of(one))
_encodings = st.sampled_from(["quoted", "quoted", "quoted", "quoted", "raw", "twice", "invalid"])


def _written(value: str, how: str) -> str:
    """Return a value as it may stand in an address, which is Latin-1 to WSGI."""
    if how == "raw":
        return value.encode("utf-8", "surrogatepass").decode("latin-1").replace("#", "")
    quoted = quote(value.encode("utf-8", "surrogatepass"), safe="")
    return {"twice": quote(quoted), "invalid": quoted + "%FF%"}.get(how, quoted)


@st.composite
def _query(draw: st.DrawFn, path: str, needed: tuple[str, ...] = ()) -> str:
    """A query string of a path: of parameters that it takes, as a rule, with values that they may have, as a rule."""
    names = list(needed)
    if draw(st.integers(0, 20)) == 0 and names:
        names.remove(draw(st.sampled_from(names)))
    taken = st.sampled_from(TAKEN.get(path) or tuple(PARAMETERS))
    any_name = st.sampled_from(tuple(PARAMETERS)) | st.sampled_from(WORDS)
    most = draw(st.sampled_from([0] * 7 + [1])) if needed else 4
    names += draw(st.lists(taken | taken | taken | any_name, max_size=most))
    pairs = []
    for name in names:
        known = st.sampled_from(PARAMETERS.get(name, ["x"]))
        is_odd = draw(st.integers(0, 5 if not needed else 20)) == 0
        how = draw(_encodings) if is_odd else "quoted"
        pairs.append(f"{_written(name, 'quoted')}={_written(draw(_odd_texts if is_odd else known), how)}")
    return "&".join(pairs)


@st.composite
def statements(draw: st.DrawFn) -> Asked:
    """POST and PUT of statements, most of them wrong somewhere."""
    batch = draw(st.lists(mutated(), min_size=1, max_size=3))
    is_put = draw(st.integers(0, 4)) == 0
    text = text_of(batch if len(batch) > 1 or draw(st.booleans()) else batch[0])
    if is_put:
        text = text_of(batch[0])
    body = draw(damaged(text))
    headers = (MY, draw(VERSIONS), JSON)
    if not is_put:
        return Asked("statement", "POST", "/xapi/statements", "", headers, body, sent=body)
    own = batch[0].get("id") if isinstance(batch[0], dict) else None
    named = own if own in IDS and draw(st.booleans()) else draw(st.sampled_from(IDS))
    return Asked("statement", "PUT", "/xapi/statements", f"statementId={named}", headers, body, sent=body)


@st.composite
def documents(draw: st.DrawFn) -> Asked:
    """Every method on the three document resources."""
    path = draw(st.sampled_from(DOCUMENTS))
    method = draw(st.sampled_from(["PUT", "PUT", "PUT", "POST", "POST", "GET", "DELETE", "HEAD"]))
    content = draw(st.sampled_from([{}, {"a": 1}, {"a": {"b": [1]}, "": None}, [1]]) | odd)
    body = b"" if method in {"GET", "DELETE", "HEAD"} else draw(damaged(text_of(content)) | st.binary(max_size=40))
    kind = draw(st.sampled_from(KINDS[:5] * 3 + KINDS[5:]))
    conditions = draw(
        st.dictionaries(st.sampled_from(["If-Match", "If-None-Match"]), st.sampled_from(TAGS_GIVEN), max_size=1)
    )
    headers = [MY, draw(VERSIONS), ("Content-Type", kind), *conditions.items()]
    if body and draw(st.integers(0, 9)) == 0:
        body, headers = gzip.compress(body), [*headers, ("Content-Encoding", "gzip")]
    query = draw(_query(path, NEEDED[path]))
    return Asked("document", method, path, query, tuple(headers), body)


@st.composite
def queries(draw: st.DrawFn) -> Asked:
    """GET and HEAD on every resource, of xAPI and beside it, with parameters of all sorts."""
    path = draw(st.sampled_from([*PATHS, *PATHS, *APIS]))
    headers = [MY, draw(VERSIONS)]
    if draw(st.integers(0, 3)) == 0:
        headers.append(("Accept-Language", draw(st.sampled_from(LANGUAGES))))
    needed = NEEDED.get(path, TAKEN.get(path, ()) if path != "/xapi/statements" else ())
    kind = "document" if path in DOCUMENTS else "query"
    return Asked(
        kind, draw(st.sampled_from(["GET", "GET", "GET", "HEAD"])), path, draw(_query(path, needed)), tuple(headers)
    )


@st.composite
def headed(draw: st.DrawFn) -> Asked:
    """Ordinary requests with headers that are not."""
    asked = draw(_ordinary())
    names = draw(st.lists(st.sampled_from(tuple(HEADERS)), min_size=1, max_size=3, unique=True))
    changed = {name: draw(st.sampled_from(HEADERS[name]) | _latin) for name in names}
    if draw(st.integers(0, 5)) == 0:
        changed.pop(names[0])
    kept = [(name, value) for name, value in asked.headers if name not in names]
    lengths = [None, None, None, None, "0", "1", "99999", "-1", "x", "", "9" * 30, " 5", "+5", "٣"]
    length = draw(st.sampled_from(lengths))
    method = draw(st.sampled_from([asked.method] * 6 + ["PATCH", "OPTIONS", "TRACE", "DELETE", "x", "PUT"]))
    found = replace(asked, kind="header", method=method, headers=(*kept, *changed.items()), length=length, sent=None)
    return replace(found, path=draw(st.sampled_from([found.path] * 9 + [f"{found.path}/", found.path[5:], "/xapi//x"])))


_latin = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)


@st.composite
def _ordinary(draw: st.DrawFn) -> Asked:
    path = draw(st.sampled_from(PATHS))
    version = draw(VERSIONS)
    if path in DOCUMENTS:
        query = "&".join(f"{name}={quote(PARAMETERS[name][0])}" for name in NEEDED[path])
        method = draw(st.sampled_from(["GET", "PUT", "POST", "DELETE"]))
        body = b'{"a":1}' if method in {"PUT", "POST"} else b""
        return Asked("document", method, path, query, (MY, version, JSON, ("If-None-Match", "*")), body)
    if path == "/xapi/statements" and draw(st.booleans()):
        text = text_of(draw(valid)).encode()
        return Asked("statement", "POST", path, "", (MY, version, JSON), text, sent=text)
    return Asked("query", "GET", path, draw(_query(path, TAKEN.get(path, ())[:1])), (MY, version))


@st.composite
def alternates(draw: st.DrawFn) -> Asked:
    """Every other family's requests in the alternate syntax of 1.0.3, some with a damaged form."""
    asked = _in_other_version(draw(_ordinary() | statements() | documents()), "1.0.3")
    where = draw(st.floats(0, 1))
    extra = draw(
        st.sampled_from([""] * 20 + ["&", "&=", "&x=1", "&content=1", "&Authorization=x", "&%FF=%FF", "&a" * 200])
    )
    cut = draw(st.integers(0, 9)) == 0

    def change(form: str) -> str:
        return (form[: int(len(form) * where)] if cut else form) + extra

    found = as_alternate(asked, change)
    method = draw(st.sampled_from([asked.method] * 40 + ["PATCH", "", "x", "get", *METHODS]))
    kind = draw(st.sampled_from([FORM] * 40 + ["text/plain", *KINDS]))
    more = draw(st.sampled_from([""] * 20 + ["&a=b", "&method=GET"]))
    headers = (("Content-Type", kind), *((NEWER,) if draw(st.integers(0, 19)) == 0 else ()))
    return replace(found, query=f"method={method}{more}", headers=headers)


@st.composite
def parcels(draw: st.DrawFn) -> Asked:
    """multipart/mixed bodies: boundaries, parts, headers and hashes that fit, and that do not."""
    data = draw(st.lists(st.binary(max_size=60), max_size=3))
    statement = dict(draw(valid))
    declared = [_declared(draw, one) for one in data]
    statement["attachments"] = draw(st.sampled_from([declared] * 5 + [declared[:1], declared * 2, []]))
    boundary = draw(st.sampled_from(["b"] * 6 + ["--", "a b", "x" * 70, "x" * 71, "", "é", "'()+_,-./:=?", '"']))
    said = draw(st.sampled_from([boundary] * 9 + [f'"{boundary}"', "other", f"{boundary}; x=y"]))
    ending = draw(st.sampled_from(["\r\n"] * 9 + ["\n"]))
    head = draw(
        st.sampled_from(
            ["Content-Type: application/json"] * 8 + ["", "Content-Type: text/plain", "x", ":", "a: " + "b" * 9_000]
        )
    )
    text = text_of(statement)
    found = [f"--{boundary}{ending}{head}{ending}{ending}".encode("latin-1"), text.encode(), ending.encode()]
    for one in data:
        found += [
            f"--{boundary}{ending}{_part_head(draw, one, ending)}{ending}".encode("latin-1"),
            one,
            ending.encode(),
        ]
    found.append(
        draw(st.sampled_from([f"--{boundary}--{ending}"] * 8 + ["", f"--{boundary}", f"--{boundary}--x"])).encode(
            "latin-1"
        )
    )
    body = b"".join(found)
    if draw(st.integers(0, 5)) == 0:
        place = draw(st.integers(0, len(body) - 1))
        body = (
            body[:place]
            + draw(st.sampled_from([b"", b"\x00", b"\r\n", b"--"]))
            + body[place + draw(st.integers(0, 3)) :]
        )
    headers = (MY, draw(VERSIONS), ("Content-Type", f"multipart/mixed; boundary={said}"))
    whole = body == b"".join(found)
    length = draw(st.sampled_from([None] * 9 + [str(len(body) + 9)]))
    return Asked("multipart", "POST", "/xapi/statements", "", headers, body, length, text.encode() if whole else None)


def _declared(draw: st.DrawFn, data: bytes) -> dict[str, object]:
    algorithm = draw(st.sampled_from(["sha256", "sha256", "sha224", "sha384", "sha512", "sha1"]))
    usage = draw(st.sampled_from(["a:b", "a:b", "a:b", "http://adlnet.gov/expapi/attachments/signature"]))
    sha2 = hashlib.new(algorithm, data).hexdigest()
    own = {
        "usageType": usage,
        "display": {"en": "x"},
        "contentType": "application/octet-stream",
        "length": len(data),
        "sha2": sha2,
    }
    return {**own, **({"fileUrl": "https://x.example.org/f"} if draw(st.integers(0, 5)) == 0 else {})}


def _part_head(draw: st.DrawFn, data: bytes, ending: str) -> str:
    sha2 = draw(st.sampled_from([hashlib.sha256(data).hexdigest()] * 9 + ["0" * 64, "", "x", "é" * 64, "A" * 40]))
    encoding = draw(st.sampled_from(["binary"] * 9 + ["base64", "", "BINARY"]))
    kind = draw(st.sampled_from(["application/octet-stream"] * 5 + ["", "\xff"]))
    lines = f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}", f"X-Experience-API-Hash: {sha2}"
    return "".join(f"{line}{ending}" for line in lines)


def _in_other_version(asked: Asked, version: str = "") -> Asked:
    """Return the same request under the rules of a version; under the other ones, if none is named."""
    name, given = OLDER[0], asked.said(OLDER[0])
    wanted = version or (OLDER[1] if given == NEWER[1] else NEWER[1])
    return replace(asked, headers=tuple((one, wanted if one == name else value) for one, value in asked.headers))


def variants(asked: Asked) -> Iterator[Asked]:
    """Yield a request, and the same under the other rules and in the alternate syntax, where that is another input."""
    yield asked
    if asked.kind in {"statement", "document", "query", "multipart"} and asked.path.startswith("/xapi"):
        yield _in_other_version(asked)
        if asked.kind != "multipart":
            yield as_alternate(_in_other_version(asked, "1.0.3"))
    chance = Random(zlib.crc32(asked.text().encode()))
    for _ in range(SHAKEN):
        yield _shaken(asked, chance)


def _shaken(asked: Asked, chance: Random) -> Asked:
    """Return a request with a few bytes of its body, or of its query, taken out, put in or repeated."""
    if asked.body and asked.kind != "query":
        return replace(asked, kind=LOOSE.get(asked.kind, asked.kind), body=_shake(asked.body, chance), sent=None)
    return replace(asked, query=_shake(asked.query.encode("latin-1"), chance).decode("latin-1"))


def _shake(data: bytes, chance: Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice([0, 1, 1, 2, 8, 40]))
    put = chance.choice([b"", data[start:end] * 2, *TOKENS])
    return data[:start] + put + data[end:]


SHAKEN = 4
LOOSE = {"statement": "header", "multipart": "header"}
"""What is shaken may be another statement, and need not come back as it was meant."""
TOKENS = [
    b"\x00", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"null", b"1", b"-", b"\xff", b"\r\n", b"--", b"&", b"=",
    b"%",    b"%00", b"\\u0000", b"\\ud800", b"1e999", b"true", b" ", b"\xc3", b"9" * 30, b"=&", b'":{"',
]  # fmt: skip

FAMILIES = {
    "statements": statements(),
    "documents": documents(),
    "queries": queries(),
    "headers": headed(),
    "alternate": alternates(),
    "multipart": parcels(),
}
