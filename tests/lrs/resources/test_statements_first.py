from tests.district import District, statement


def test_a_posted_statement_is_found_by_its_id(district: District) -> None:
    sent = statement()
    assert district.someone.post(sent).json == [sent["id"]]
    answer = district.someone.get(query={"statementId": sent["id"]})
    assert answer.status_code == 200, answer.text
    assert answer.json["verb"] == sent["verb"]


def test_filters_find(district: District) -> None:
    sent = statement()
    district.someone.post(sent)
    assert [one["id"] for one in district.someone.found(agent=sent["actor"])] == [sent["id"]]
    assert [one["id"] for one in district.someone.found(agent=sent["actor"], related_agents="true", verb=sent["verb"]["id"])] == [sent["id"]]
