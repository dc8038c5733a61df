"""`cairn import` from files: everything that is sound goes in, once; everything else is listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from lrs.exchange.importing import importer
from lrs.store.imports import provenance_of
from tests.district import District, ids, statement
from tests.lrs.exchange.receiver import lines, ran, run

ACT = "https://w3id.org/xapi/cairn/verbs/published"


def ndjson(statements: list[Any]) -> bytes:
    """Return statements as lines; bytes as they are."""
    return b"\n".join(one if isinstance(one, bytes) else msgspec.json.encode(one) for one in statements) + b"\n"


def imported(district: District, statements: list[Any], *options: str) -> tuple[int, str]:
    """Import lines from standard input; return the exit code and everything that was printed."""
    result = run(district, "import", district.log.slug, "-", *options, stdin=ndjson(statements))
    return result.exit_code, result.output


def stored(district: District, wanted: list[str]) -> list[str]:
    """Return which of these ids the log has, in the order of the log."""
    return [one for one in ids(district.someone.found(ascending="true")) if one in wanted]


def test_statements_go_in_in_their_order(district: District) -> None:
    sent = [statement() for _ in range(5)]
    assert imported(district, sent)[0] == 0
    assert stored(district, ids(sent)) == ids(sent)


@pytest.mark.parametrize("name", ["s.json", "s.ndjson"])
def test_a_file_may_be_an_array_or_lines(district: District, tmp_path: Path, name: str) -> None:
    sent = [statement() for _ in range(3)]
    (tmp_path / name).write_bytes(ndjson(sent) if name == "s.ndjson" else msgspec.json.encode(sent))
    assert "3 statement(s) are in the log, 0 refused" in ran(
        district, "import", district.log.slug, str(tmp_path / name)
    )
    assert stored(district, ids(sent)) == ids(sent)


def test_importing_again_stores_nothing_twice(district: District) -> None:
    without_id = {key: value for key, value in statement().items() if key != "id"}
    sent = [statement(), without_id, {**without_id, "timestamp": "2026-01-01T00:00:00Z"}]
    imported(district, sent)
    size = district.size()
    assert imported(district, sent)[0] == 0
    assert district.size() == size


def test_an_export_goes_into_another_log_and_comes_out_the_same(shared_district: District, district: District) -> None:
    other = shared_district.with_new_log(f"{district.log.slug}-b")
    sent = [statement(timestamp="2026-01-01T00:00:00+02:00"), statement(result={"score": {"raw": 1.50}})]
    district.someone.post(sent)
    text = ran(district, "export", district.log.slug, "--verb", "http://adlnet.gov/expapi/verbs/answered")
    ran(other, "import", other.log.slug, "-", stdin=text.encode())
    again = ran(other, "export", other.log.slug, "--verb", "http://adlnet.gov/expapi/verbs/answered")

    def essence(text: str) -> list[dict[str, Any]]:
        return [{key: one[key] for key in one if key not in {"stored", "authority"}} for one in lines(text)]

    assert essence(again) == essence(text)


def test_what_the_first_store_set_is_kept_as_provenance(district: District) -> None:
    authority = {"objectType": "Agent", "mbox": "mailto:tool@example.org"}
    sent = statement(stored="2020-01-01T00:00:00Z", authority=authority, version="1.0.2")
    imported(district, [sent])
    (found,) = [one for one in district.someone.found() if one["id"] == sent["id"]]
    assert found["authority"] == msgspec.json.decode(importer(district.log).authority)
    assert found["stored"] > "2026"
    with district.engine.connect() as connection:
        known = provenance_of(connection, district.log.log_id, sent["id"])
    assert known is not None
    assert known[0] == "stdin"
    assert known[1].stored == "2020-01-01T00:00:00Z"
    assert msgspec.json.decode(known[1].authority or "") == authority
    assert known[1].version == "1.0.2"


def test_the_good_ones_of_a_batch_go_in_and_the_others_are_listed(district: District, tmp_path: Path) -> None:
    good = [statement() for _ in range(4)]
    bad = statement(actor={"objectType": "Agent"}, result={"score": {"scaled": 2}})
    path = tmp_path / "refused.ndjson"
    code, told = imported(district, [good[0], bad, good[1], b'{"broken":', good[2], good[3]], "--refused", str(path))
    assert code == 1
    assert stored(district, ids(good)) == ids(good)
    assert f"-: line 2 {bad['id']} refused" in told
    assert "/actor:" in told
    assert "/result/score/scaled:" in told
    assert "-: line 4 refused" in told
    assert "4 statement(s) are in the log, 2 refused" in told
    assert path.read_bytes().splitlines() == [b'{"broken":', msgspec.json.encode(bad)]


def test_an_id_that_another_statement_has_is_refused_by_itself(district: District) -> None:
    taken, fine = statement(), statement()
    district.someone.post(taken)
    code, told = imported(district, [{**taken, "verb": {"id": "https://e.org/other"}}, fine])
    assert (code, stored(district, [fine["id"]])) == (1, [fine["id"]])
    assert "id of another statement already stored" in told


def test_a_statement_that_stands_twice_goes_in_once_and_another_with_its_id_is_refused(district: District) -> None:
    one = statement()
    assert imported(district, [one, one])[0] == 0
    code, told = imported(district, [one, {**one, "verb": {"id": "https://e.org/other"}}])
    assert code == 1
    assert "1 statement(s) are in the log, 1 refused" in told


def test_a_registrars_act_is_taken_from_a_registrars_credential_alone(district: District) -> None:
    act, fine = statement(verb="x"), statement()
    act["verb"] = {"id": district.desk.gate.act_verbs + "credited"}
    code, told = imported(district, [act, fine])
    assert (code, stored(district, [fine["id"]])) == (1, [fine["id"]])
    assert "scope registrar" in told


def test_statements_become_those_of_a_credential_that_is_named(district: District) -> None:
    writer, sent = district.client("statements/write"), statement()
    assert imported(district, [sent], "--credential", writer.key)[0] == 0
    (found,) = [one for one in district.someone.found() if one["id"] == sent["id"]]
    assert found["authority"]["account"]["name"] == writer.key
    assert run(district, "import", district.log.slug, "-", "--credential", "nobody", stdin=b"").exit_code == 1


def test_a_statement_of_2_0_is_held_to_the_rules_of_2_0(district: District) -> None:
    agents = [{"objectType": "contextAgent", "agent": statement()["actor"]}]
    sent = [statement(version="2.0.0", context={"contextAgents": agents}), statement(version="1.0.0")]
    assert imported(district, sent)[0] == 0
    assert stored(district, ids(sent)) == ids(sent)


def test_what_is_no_statement_at_all_is_refused(district: District) -> None:
    code, told = imported(district, [b"3", b"[1]", b'"x"', statement()])
    assert code == 1
    assert "1 statement(s) are in the log, 3 refused" in told
