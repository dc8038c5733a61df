"""Data 2.2, 4.1 to 4.6: the formats of single values."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.xapi import values
from lrs.xapi.values import iso, key64, timestamp_us

IRIS = """
https://example.org/a?b=c#d  urn:uuid:6b1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e58  tag:example.org,2026:x  HTTP://EXAMPLE.ORG
https://beispiel.example/prüfung/七  x-own+scheme.1:rest  https://[2001:db8::1]/  https://example.org/100%25  mailto:a@b
"""
NO_IRIS = """
example  /relative  1a:b  a=b://example.org  a_b:c  :x  http:  https://a/<b>  https://a/{b}  https://a/%zz  https://a/%4
https://a/#b#c  x:"  x:^  x:`  x:|  x:\\
"""
TAGS = """
en EN de-AT zh-Hans zh-Hant-TW es-419 gsw sl-nedis de-CH-1901 zh-yue-HK x-own en-x-a-b en-u-co-phonebk-x-y i-klingon
en-GB-oed art-lojban de-1996 und tlh sr-Cyrl-RS
"""
NO_TAGS = """
e en-toolongpart en_GB en- -en en--GB e1 12 en-GB-US de-1901-1901 en-a-bb-a-cc x i-none en-a abcdefghi dé i-\u212alingon
"""
UUIDS = "6b1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e58 6B1D7C52-0F0E-4F5C-9D0B-2F4F6A1C3E58 00000000-0000-0000-0000-000000000000"
NO_UUIDS = """
6b1d7c520f0e4f5c9d0b2f4f6a1c3e58  6b1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e580  6b1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e5
gb1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e58  {6b1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e58}  6b1d7c52-0f0e-4f5c9-d0b-2f4f6a1c3e58
"""
MBOXES = "mailto:ann@example.org mailto:a.b+c@localhost mailto:zoë@schüle.example"
NO_MBOXES = """
ann@example.org mailto:ann mailto:example.org https://ann@example.org mailto:@example.org mailto:a@ mailto:a@b@c
mailto:a@b..c mailto:a@.b mailto:a@b?subject=x MAILTO:a@b mailto:
"""
DURATIONS = "P1Y P2M P3D PT4H PT5M PT6S P1Y2M3DT4H5M6S PT0.25S PT0,25S P4W P0.5W P1.5Y PT1.5H PT0S"
NO_DURATIONS = "P PT P1DT 1D P1 P1H PT1D P1W1D P1.5Y1M PT.5S PT5.S -P1D P-1D PT1S1M p1d"


@pytest.mark.parametrize("text", IRIS.split())
def test_an_iri_has_a_scheme_and_characters_that_iris_may_hold(text: str) -> None:
    assert values.is_iri(text)


@pytest.mark.parametrize("text", [*NO_IRIS.split(), "", "https://a b", "x:\n", "https://a/\u00a0", "https://a/\x00"])
def test_a_text_without_scheme_or_with_foreign_characters_is_no_iri(text: str) -> None:
    assert not values.is_iri(text)


def test_an_irl_leads_somewhere() -> None:
    assert values.is_irl("https://example.org/page")
    assert values.is_irl("ftp://example.org/file")
    refused = ["urn:isbn:0451450523", "tag:example.org,2026:x", "https:///page", "http:page", "HTTPS://?q", "page"]
    assert [text for text in refused if values.is_irl(text)] == []


def test_what_was_once_refused_is_refused_again() -> None:
    assert [values.is_iri("no iri"), values.is_iri("no iri")] == [False, False]


def test_the_memory_of_seen_texts_is_bounded() -> None:
    calls: list[str] = []

    def is_counted(text: str) -> bool:
        calls.append(text)
        return True

    is_short = values._remembering(is_counted)
    for number in range(values.REMEMBERED_TEXTS + 1):
        is_short(str(number))
    is_short("0")
    is_short("x" * (values.REMEMBERED_CHARACTERS + 1))
    is_short("x" * (values.REMEMBERED_CHARACTERS + 1))
    assert len(calls) == values.REMEMBERED_TEXTS + 4


@pytest.mark.parametrize("text", UUIDS.split())
def test_a_uuid_has_its_32_hex_digits_in_five_groups(text: str) -> None:
    assert values.is_uuid(text)


@pytest.mark.parametrize("text", [*NO_UUIDS.split(), "", "6b1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e58\n"])
def test_other_forms_are_no_uuid(text: str) -> None:
    assert not values.is_uuid(text)


@pytest.mark.parametrize("tag", TAGS.split())
def test_a_language_tag_has_the_shape_of_rfc_5646(tag: str) -> None:
    assert values.is_language_tag(tag)


@pytest.mark.parametrize("tag", [*NO_TAGS.split(), "", "en GB", "en\n"])
def test_other_shapes_are_no_language_tag(tag: str) -> None:
    assert not values.is_language_tag(tag)


@pytest.mark.parametrize("text", MBOXES.split())
def test_an_mbox_is_mailto_and_one_address(text: str) -> None:
    assert values.is_mbox(text)


@pytest.mark.parametrize("text", [*NO_MBOXES.split(), "", "mailto:a b@c", "mailto:a@b\n"])
def test_anything_else_is_no_mbox(text: str) -> None:
    assert not values.is_mbox(text)


def test_hashes_have_the_length_of_their_family() -> None:
    assert values.is_sha1_hex("aF" * 20)
    assert not any(values.is_sha1_hex(text) for text in ["a" * 39, "a" * 41, "g" * 40, ""])
    assert all(values.is_sha2_hex("0f" * (bits // 8)) for bits in (224, 256, 384, 512))
    assert not any(values.is_sha2_hex(text) for text in ["a" * 40, "a" * 63, "x" * 64, ""])


@pytest.mark.parametrize("text", DURATIONS.split())
def test_a_duration_names_its_units_from_large_to_small(text: str) -> None:
    assert values.is_duration(text)


@pytest.mark.parametrize("text", [*NO_DURATIONS.split(), "", "PT1S\n"])
def test_other_texts_are_no_duration(text: str) -> None:
    assert not values.is_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T08:00:00Z", "2026-11-21T08:00:00.000000Z"),
        ("2026-11-21T08:00:00.123456Z", "2026-11-21T08:00:00.123456Z"),
        ("2026-11-21T08:00:00.1234569Z", "2026-11-21T08:00:00.123456Z"),
        ("2026-11-21T08:00:00,5Z", "2026-11-21T08:00:00.500000Z"),
        ("2026-11-21T08:00:00+05:30", "2026-11-21T02:30:00.000000Z"),
        ("2026-11-21T08:00:00-0800", "2026-11-21T16:00:00.000000Z"),
        ("2026-11-21T08:00:00+01", "2026-11-21T07:00:00.000000Z"),
        ("2026-11-21T08:00:00+00:00", "2026-11-21T08:00:00.000000Z"),
        ("2026-11-21 08:00:00.250+00:00", "2026-11-21T08:00:00.250000Z"),
        ("2026-11-21t08:00z", "2026-11-21T08:00:00.000000Z"),
        ("2026-11-21T08:00:00.123", "2026-11-21T08:00:00.123000Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
    ],
)
def test_a_timestamp_is_one_instant_in_utc(text: str, expected: str) -> None:
    assert iso(timestamp_us(text)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-11-21T08:00:00-00", "offset -00"),
        ("2026-11-21T08:00:00-0000", "offset -00"),
        ("2026-11-21T08:00:00.5-00:00", "offset -00"),
        ("2026-02-29T08:00:00Z", "that exists"),
        ("2026-11-21T24:01:00Z", "that exists"),
        ("2026-11-21T08:00:00+24:00", "that exists"),
        ("0001-01-01T00:00:00+01:00", "between the years"),
        ("2026-11-21", "such as"),
        ("08:00:00Z", "such as"),
        ("21/11/2026", "such as"),
        ("20261121T080000Z", "such as"),
        ("2026-W47-6T08:00:00Z", "such as"),
        ("2026-11-21x08:00:00Z", "such as"),
        ("2026-11-21T08:00:00 Z", "such as"),
        ("٢٠٢٦-11-21T08:00:00Z", "such as"),
        ("yesterday", "such as"),
        ("", "such as"),
    ],
)
def test_a_text_that_is_no_instant_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        timestamp_us(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_writing_and_reading_an_instant_gives_it_back(moment: datetime) -> None:
    us = timestamp_us(moment.isoformat())
    assert timestamp_us(iso(us)) == us
    assert len(iso(us)) == len("2026-11-21T08:00:00.123456Z")


@given(st.text(), st.text())
def test_a_key_is_a_signed_64_bit_number_that_hangs_on_kind_and_text(one: str, other: str) -> None:
    assert -(2**63) <= key64("verb", one.encode("utf-8", "replace").decode()) < 2**63
    assert (key64("verb", "a" + ascii(one)) == key64("verb", "a" + ascii(other))) == (one == other)


def test_a_key_never_changes() -> None:
    assert key64("verb", "https://example.org/v") != key64("activity", "https://example.org/v")
    assert key64("agent", "mbox:mailto:ann@example.org") == 5_286_453_949_954_885_920
    assert key64("agent", "x" * 1000) == -6_179_833_040_922_429_689
