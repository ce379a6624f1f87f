"""A transcript as a viewer sees it."""

from __future__ import annotations

from tests.review.coding import shelf
from tests.review.coding.conftest import Coder, Table


def test_the_machine_proposes_only_what_a_voice_may_say_once_it_is_named(table: Table) -> None:
    utterances = table.ada.begin().state()["utterances"]
    assert any(utterance["pretag"] for utterance in utterances)
    table.interviewer.browser.post(f"/tapes/{table.tape_id}/voices", {"interviewer": "S2"})
    swapped = table.ada.state()["utterances"]
    assert [utterance["role"] for utterance in swapped] != [utterance["role"] for utterance in utterances]
    talk = {"change", "sustain", "neutral"}
    proposed = [(utterance["role"], set(utterance["pretag"]["codes"])) for utterance in swapped if utterance["pretag"]]
    assert all(codes <= talk if role == "client" else not codes & talk for role, codes in proposed)


def test_scripts_in_words_are_words(table: Table) -> None:
    utterances = shelf.talk(4, 0.2)
    utterances[0]["words"][0][2] = "<script>alert(1)</script>"
    utterances[1]["words"][0][2] = "=1+1"
    room = table.room
    tape = shelf.put_tape(
        room.home,
        table.group_id,
        room.person("Eve", table.group_id),
        room.clock(),
        4,
        0.2,
        target="<script>alert(2)</script>",
        utterances=utterances,
    )
    coder = Coder(table.ada.browser, tape).begin()
    for path in ("", "/codes.vtt", "/ratings"):
        assert "<script>alert" not in coder.browser.get(coder.path + path).text
    table_file = coder.browser.get(f"{coder.path}/codes.csv")
    assert table_file.headers["content-disposition"].startswith("attachment")
    assert table_file.headers["content-type"].startswith("text/csv")
    assert ",'=1+1 " in table_file.text
    assert coder.state()["utterances"][0]["words"][0]["text"] == "<script>alert(1)</script>"
