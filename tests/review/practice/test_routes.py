"""The practice pages over HTTP: passes on a role-play and on a tape of the group, from the first code to the gold."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select

from pipeline.review.practice import scripts
from pipeline.tapes.db.records import AuditRow, CalibrationEvent, CalibrationPass
from tests.review.coding.conftest import Table
from tests.review.practice.conftest import Trainee


def gold(codebook: str = "pretags", script: str = "roleplay-alcohol") -> dict[str, tuple[str, ...]]:
    return {name: line.codes for name, line in scripts.gold(script, codebook).items()}


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_member_codes_a_role_play_blind_and_sees_line_by_line_where_the_gold_differs(table: Table) -> None:
    ada = Trainee(table.ada.browser).begin()
    # 93 lines, of which 15 are mere sounds of listening: 78 count. Two are coded otherwise, so 76 of 78 agree: 97 %.
    ada.code({**gold(), "u0010": ("reflection_complex",), "u0011": ("neutral",)})
    page = ada.lock()
    assert "You agree on 97 % of 78 utterances (95 % interval:" in words(page)
    unlike = page[page.index("Where you differ") : page.index("All 93 lines")]
    assert unlike.count('class="gold-line differs"') == 2
    assert "You Complex reflection Gold Simple reflection Why It gives back both things that he said" in words(unlike)
    assert "You Neither (neutral) Gold Sustain talk" in words(unlike)
    assert page.count("<dt>Why</dt>") == 93 + 2


@pytest.mark.parametrize("codebook", scripts.CODEBOOKS)
def test_nothing_of_the_gold_leaves_before_the_pass_is_locked(
    table: Table, codebook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = Trainee(table.ada.browser).begin(codebook)
    ada.code({"u0006": (next(iter(gold(codebook)["u0006"])),)})
    tape = f"/tapes/{table.tape_id}"
    paths = [ada.path, *(f"{ada.path}/{end}" for end in ("state", "mark", "sound", "peaks", "codes.csv"))]
    paths += ["/practice", "/practice/skills", "/", "/growth", f"/codebooks/{codebook}"]
    paths += [f"/groups/{table.group_id}/agreement", f"{tape}/coding", f"{tape}/together", f"{tape}/summary"]

    def everything() -> list[tuple[int, bytes]]:
        answers = [table.ada.browser.get(path) for path in paths]
        refused = ada.send({"id": "x", "kind": "code", "utterance_id": "u0001", "codes": ["nothing"]})
        return [(answer.status_code, answer.content) for answer in (*answers, refused)]

    with_gold = everything()
    monkeypatch.setattr(scripts, "gold", lambda *_: pytest.fail("the gold was read before the pass was locked"))
    assert everything() == with_gold
    sentences = [row["why"] for row in scripts._rows("roleplay-alcohol")]
    texts = [json.dumps(content.decode("utf-8", "replace")) for _, content in with_gold]
    assert not [why for why in sentences for text in texts if json.dumps(why)[1:-1] in text]


def test_the_test_above_would_see_the_gold(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = Trainee(table.ada.browser).begin()
    ada.lock()
    asked = []
    monkeypatch.setattr(scripts, "gold", lambda *given: asked.append(given) or {})
    table.ada.browser.get(ada.path)
    assert asked == [("roleplay-alcohol", "pretags")]


def test_a_pass_is_its_coder_s_alone(table: Table) -> None:
    ada = Trainee(table.ada.browser).begin()
    for end in ("", "/state", "/mark", "/sound", "/peaks"):
        assert table.ben.browser.get(f"{ada.path}{end}").status_code == 404
    assert table.ben.browser.post(f"{ada.path}/lock").status_code == 404
    assert Trainee(table.ben.browser, ada.path).send().status_code == 404


def test_the_transcript_stays_and_a_locked_pass_too(table: Table) -> None:
    ada = Trainee(table.ada.browser).begin()
    swap = {"id": "s", "kind": "speaker", "utterance_id": "u0001"}
    assert ada.send(swap).json() == {
        "refused": [{"id": "s", "reason": "the transcript of a calibration tape stays as it is"}]
    }
    change = {"id": "c", "kind": "code", "utterance_id": "u0001", "codes": ["other"]}
    assert ada.send(change).json() == ada.send(change).json() == {"refused": []}
    with table.room.home.database.reading() as session:
        assert len(session.scalars(select(CalibrationEvent)).all()) == 1
    ada.lock()
    assert ada.send(change | {"id": "d"}).status_code == 409


def test_who_codes_again_is_told_that_the_gold_was_known(table: Table) -> None:
    ada = Trainee(table.ada.browser).begin()
    first = ada.path
    assert ada.begin().path == first, "an open pass is gone on with"
    assert "You had seen the gold" not in ada.lock()
    # Begun before the other was locked, and locked after: not blind either.
    page = ada.begin("oars").lock()
    assert ada.path != first
    assert "You had seen the gold before this pass" in page
    assert "coded again, with the gold known" in table.ada.browser.get("/practice").text


def test_the_sound_comes_in_parts(table: Table) -> None:
    ada = Trainee(table.ada.browser).begin(script="roleplay-swapped")
    answer = table.ada.browser.get(f"{ada.path}/sound", headers={"range": "bytes=0-99"})
    assert (answer.status_code, answer.content[:4], len(answer.content)) == (206, b"RIFF", 100)
    assert len(table.ada.browser.get(f"{ada.path}/peaks").content) == 3889  # 194.5 s, 20 a second


def test_a_role_play_has_no_gold_in_other_codebooks_and_others_are_none(table: Table) -> None:
    browser = table.ada.browser
    answer = browser.post("/practice/role-plays/roleplay-alcohol", {"codebook": "ours"})
    assert (answer.status_code, "Choose another codebook" in answer.text) == (422, True)
    assert browser.post("/practice/role-plays/..%2F..%2Fetc", {"codebook": "oars"}).status_code == 404
    assert browser.post("/practice/role-plays/session-20-minutes", {"codebook": "oars"}).status_code == 404


def test_keys_can_be_chosen(table: Table) -> None:
    ada = Trainee(table.ada.browser).begin()
    token = {"X-CSRF-Token": table.ada.browser.form_token()}
    client = table.ada.browser.client
    chosen = client.post(f"{ada.path}/keys", json={"action": "code:other", "key": "9"}, headers=token)
    assert chosen.status_code == 204
    bindings = client.get(f"{ada.path}/state").json()["bindings"]
    assert {row["action"]: row["shown"] for row in bindings}["code:other"] == "9"
    taken = client.post(f"{ada.path}/keys", json={"action": "code:change", "key": "9"}, headers=token)
    assert (taken.status_code, "already has this key" in taken.json()["detail"]) == (422, True)


# A tape of the group


def coach(table: Table) -> Trainee:
    return Trainee(table.room.signed_in(table.room.person("Coco", table.group_id, role="coach")))


def settle(table: Table, left: int = 0) -> None:
    """Ada and Ben code the tape and differ on two utterances; the group settles all but ``left`` of them."""
    ada, ben = table.ada.begin(), table.ben.begin()
    for number in range(1, 13):
        agreed = "question_open" if number % 2 else "change"
        ada.code(f"u{number:04d}", agreed)
        ben.code(f"u{number:04d}", "question_closed" if number in (1, 3) else agreed)
    ada.lock()
    ben.lock()
    for number in (1, 3)[: 2 - left]:
        body = {"id": f"s{number}", "codebook": "pretags", "utterance_id": f"u{number:04d}"}
        answer = ada.browser.client.post(
            f"/tapes/{table.tape_id}/together",
            json=body | {"codes": ["question_open"]},
            headers={"X-CSRF-Token": ada.token},
        )
        assert answer.status_code == 200, answer.text


def calibrated(table: Table) -> Trainee:
    """The coach has looked at the settled tape and makes it a calibration tape."""
    settle(table)
    chooser = coach(table)
    assert chooser.browser.post(f"/tapes/{table.tape_id}/together/look").status_code == 303
    page = chooser.browser.get("/practice").text
    assert f'action="/tapes/{table.tape_id}/calibration"' in page
    answer = chooser.browser.post(f"/tapes/{table.tape_id}/calibration", {"codebook": "pretags"})
    assert answer.status_code == 303, answer.text
    return chooser


def newcomer(table: Table) -> Trainee:
    return Trainee(table.room.signed_in(table.room.person("Nia", table.group_id)))


def test_a_coach_makes_a_settled_tape_a_calibration_tape_and_a_newcomer_codes_it_blind(table: Table) -> None:
    calibrated(table)
    nia = newcomer(table)
    assert f'action="/tapes/{table.tape_id}/calibration/passes"' in nia.browser.get("/practice").text
    nia.begin_tape(table.tape_id)
    # Of twelve odd and even lines the first one differs: 11 of 12.
    nia.code({f"u{number:04d}": ("question_open" if number % 2 else "change",) for number in range(2, 13)})
    tape = f"/tapes/{table.tape_id}"
    assert nia.browser.get(f"{tape}/together/state?codebook=pretags").status_code == 403
    assert nia.browser.post(f"{tape}/together/look").status_code == 403
    state = nia.browser.get(f"{nia.path}/state")
    assert all(utterance["pretag"] is None for utterance in state.json()["utterances"])
    page = nia.lock()
    assert "You agree on 92 % of 12 utterances" in words(page)
    assert "You no code Gold Open question Why Open question: A question that leaves room" in words(page)
    assert nia.browser.get(f"{tape}/together/state?codebook=pretags").status_code == 200
    with table.room.home.database.reading() as session:
        seen = session.scalars(select(AuditRow.thing).where(AuditRow.tape_id == table.tape_id)).all()
    assert "calibration" in seen


def test_what_a_blind_trainee_receives_does_not_depend_on_the_consensus(table: Table) -> None:
    calibrated(table)
    nia = newcomer(table).begin_tape(table.tape_id)
    tape = f"/tapes/{table.tape_id}"
    ends = ("coding", "together", "together/state?codebook=pretags", "summary", "summary.pdf", "names", "feedback")
    paths = [nia.path, f"{nia.path}/state", "/practice", "/growth", "/", *(f"{tape}/{end}" for end in ends)]
    paths += [f"/groups/{table.group_id}/agreement"]

    def everything() -> list[tuple[int, bytes]]:
        answers = [nia.browser.get(path) for path in paths]
        return [
            (answer.status_code, re.sub(rb"/CreationDate.*|/ID .*|xmp:.*", b"", answer.content)) for answer in answers
        ]

    before = everything()
    body = {"id": "later", "codebook": "pretags", "utterance_id": "u0005", "codes": ["question_closed"]}
    token = {"X-CSRF-Token": table.ada.token}
    assert table.ada.browser.client.post(f"{tape}/together", json=body, headers=token).status_code == 200
    assert everything() == before


def test_who_knows_the_codes_cannot_be_measured_by_them(table: Table) -> None:
    calibrated(table)
    for knowing in (table.ada.browser, table.interviewer.browser):
        answer = knowing.post(f"/tapes/{table.tape_id}/calibration/passes")
        assert (answer.status_code, "You have seen the codes of this tape" in answer.text) == (409, True)


def test_a_withdrawal_ends_a_calibration_tape(table: Table) -> None:
    calibrated(table)
    nia = newcomer(table).begin_tape(table.tape_id)
    nia.code({"u0001": ("question_open",)})
    answer = table.interviewer.browser.post(f"/tapes/{table.tape_id}/withdraw", {"sure": "yes", "reason": "asked"})
    assert answer.status_code == 303, answer.text
    for end in ("", "/state", "/mark"):
        assert nia.browser.get(f"{nia.path}{end}").status_code == 404
    assert nia.send().status_code == 404
    assert nia.browser.post(f"{nia.path}/lock").status_code == 404
    page = nia.browser.get("/practice").text
    assert table.tape_id not in page
    assert nia.path not in page


def test_a_tape_that_is_not_settled_or_not_the_coach_s_is_none(table: Table) -> None:
    settle(table, left=1)
    chooser, path = coach(table), f"/tapes/{table.tape_id}/calibration"
    assert chooser.browser.post(path, {"codebook": "pretags"}).status_code == 403, "the coach has not looked yet"
    assert chooser.browser.post(f"/tapes/{table.tape_id}/together/look").status_code == 303
    answer = chooser.browser.post(path, {"codebook": "pretags"})
    assert (answer.status_code, "has not settled every utterance" in answer.text) == (422, True)
    assert table.ada.browser.post(path, {"codebook": "pretags"}).status_code == 404
    assert table.stranger.browser.post(path, {"codebook": "pretags"}).status_code == 404
    assert table.ben.browser.post(f"{path}/passes").status_code == 404


def test_a_coach_ends_a_calibration_tape(table: Table) -> None:
    chooser = calibrated(table)
    nia = newcomer(table).begin_tape(table.tape_id)
    assert nia.browser.post(f"/tapes/{table.tape_id}/calibration/end").status_code == 404
    assert chooser.browser.post(f"/tapes/{table.tape_id}/calibration/end").status_code == 303
    assert nia.browser.post(f"/tapes/{table.tape_id}/calibration/passes").status_code == 404
    assert nia.browser.get(nia.path).status_code == 200, "a pass that is open can be finished"


def test_calibration_passes_count_in_no_figure_of_the_group(table: Table) -> None:
    calibrated(table)
    tape = f"/tapes/{table.tape_id}"
    pages = (f"{tape}/together/state?codebook=pretags", f"{tape}/summary", f"/groups/{table.group_id}/agreement")
    before = [table.ada.browser.get(page).text for page in pages]
    nia = newcomer(table).begin_tape(table.tape_id)
    nia.code({f"u{number:04d}": ("information",) for number in range(1, 13)}).lock()
    assert [table.ada.browser.get(page).text for page in pages] == before
    with table.room.home.database.reading() as session:
        assert session.scalars(select(CalibrationPass)).one().locked_at
