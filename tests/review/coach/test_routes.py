"""The coach's visit: drift speaks to the coder and the coach, the group sees the group, strangers see nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from pipeline.measures.drift.drift import ChartNote, DriftReport, detect_drift
from pipeline.measures.reliability.agreement import agreement_table
from pipeline.measures.reliability.sampling import draw_sample
from pipeline.review.coach.group_codes import GroupCodes, gather_group_codes
from pipeline.review.coach.routes import EVERYONE
from pipeline.review.upload.drafts import KEPT_DAYS
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import AuditRow, CodeEvent, Group, Pass, Person, Pretag, Recalibration
from tests.review.coach.year import UNITS, Year
from tests.review.conftest import Room


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_a_visit_from_the_finding_to_the_recalibration(group: Year) -> None:
    room = group.room
    coach, path = room.signed_in(group.people["Coco"]), f"/groups/{group.group}"
    assert f'href="{path}/visit"' in coach.get("/").text
    page = coach.get(f"{path}/visit").text
    page_text = text(page)
    assert "Talk to Ben" in page_text
    assert re.search(r"Ben codes \d\.\d times as many complex reflections as the coach", page_text)
    assert "Ben: reflections drift" in page_text.replace(": a code", "")
    proposed = re.search(r"Play: (.*?)</p>", page)
    assert proposed
    assert set(re.findall(r"/tapes/([0-9a-f]{16})", proposed[1])) <= set(group.tapes[7:])
    assert page.count("<svg") >= 6
    assert (
        "You watch 15 charts at once. By chance alone one of them signals a change about once in 8 tapes." in page_text
    )
    assert "nothing had to be matched by time" in page_text
    assert "nan" not in page_text.lower().split()

    link = re.search(rf'href="({path}/pairs\?[^"]*coder=Ben[^"]*)"', page)
    assert link
    pair = coach.get(link[1].replace("&amp;", "&")).text
    assert "complex reflection" in pair
    assert re.search(r'<audio[^>]* src="/tapes/[0-9a-f]{16}/sound#t=\d+\.000,\d+\.000"', pair)
    assert "You sleep badly after those evenings." in pair
    with room.home.database.reading() as database:
        seen = database.query(AuditRow).filter(AuditRow.action == "codes.show").count()
        read = database.query(AuditRow).filter(AuditRow.action == "read", AuditRow.thing == "transcript").count()
    assert seen >= 1
    assert read >= 1

    done = coach.post(f"{path}/recalibrated", {"person_id": group.people["Ben"], "note": "Depth needs new meaning."})
    assert done.headers["location"] == f"{path}/visit?note=recalibrated"
    again = text(coach.get(f"{path}/visit?note=recalibrated").text)
    assert "The charts start over" in again
    assert "Talk to Ben" not in again
    assert "So far: Ben, " in again
    assert ": Depth needs new meaning." in again
    with room.home.database.reading() as database:
        row = database.query(Recalibration).one()
        assert (row.person_id, row.by_person_id, row.note) == (
            group.people["Ben"],
            group.people["Coco"],
            "Depth needs new meaning.",
        )


def test_a_coach_can_code_stretches_of_minutes(group: Year) -> None:
    room = group.room
    coach, path = room.signed_in(group.people["Coco"]), f"/groups/{group.group}/visit"
    page = text(coach.get(f"{path}?by=minutes").text)
    assert "This is a fifth of the stretches that no coach has coded" in page
    assert re.search(r"minute (0 to 5|5 to 10)", page)
    assert "stretches of 20." in page
    assert coach.get(f"{path}?by=hours").status_code == 422
    with room.home.database.writing() as database:
        # The coach gave codes in the first five of ten minutes only, and none to one utterance there.
        coach_pass = database.query(Pass).filter(Pass.tape_id == group.tapes[0], Pass.layer == "coach").one()
        late = [f"u{position}" for position in (7, *range(30, UNITS))]
        database.query(CodeEvent).filter(CodeEvent.pass_id == coach_pass.id, CodeEvent.utterance_id.in_(late)).delete()
        person, peers = database.get_one(Person, group.people["Coco"]), database.get_one(Group, group.group)
        gathered = gather_group_codes(room.home, database, person, peers, room.clock())
    heard = gathered.table[(gathered.table["tape_id"] == group.tapes[0]) & (gathered.table["layer"] == "coach")]
    assert len(heard) == 30
    assert list(heard[heard["codes"] == ""]["utterance_id"]) == ["u7"]
    drawn = draw_sample(gathered.rating_matrix, "minutes", share=1.0, random_part=1.0)
    assert list(drawn[drawn["tape_id"] == group.tapes[0]]["start"]) == [300]


def test_a_coder_codes_an_old_tape_again_and_is_compared_with_the_first_time(group: Year) -> None:
    room = group.room
    path, old = f"/groups/{group.group}", group.tapes[0]
    coach, ada = room.signed_in(group.people["Coco"]), room.signed_in(group.people["Ada"])
    page = coach.get(f"{path}/visit").text
    asked = page[page.index("To code again") : page.index("Where codes differ")]
    assert f'<strong class="name">Ada</strong>: <a href="/tapes/{old}">' in asked
    assert f'href="/tapes/{old}/coding"' in ada.get(f"{path}/agreement").text
    assert "an earlier coding" not in text(page)

    location = ada.post(f"/tapes/{old}/coding", {"task": "all", "codebook": "pretags"}).headers["location"]
    state = ada.get(f"{location}/state").json()
    assert not state["events"]  # the first time is not shown
    with room.home.database.reading() as database:
        first = database.query(Pass).filter(Pass.tape_id == old, Pass.person_id == group.people["Ada"]).first()
        assert first
        before = database.query(CodeEvent).filter(CodeEvent.pass_id == first.id).all()
    changes = [
        {"id": f"c{number}", "kind": "code", "utterance_id": event.utterance_id, "codes": event.codes}
        for number, event in enumerate(before)
    ]
    changes[0]["codes"] = ["information"]
    sent = ada.client.post(
        f"{location}/changes", json={"changes": changes}, headers={"X-CSRF-Token": ada.token("/account")}
    )
    assert sent.json() == {"refused": []}
    ada.post(f"{location}/lock")
    assert "Ada with an earlier coding of the same tapes" in text(coach.get(f"{path}/visit").text)
    of_ada = text(ada.get(f"{path}/agreement").text)
    assert "Ada with an earlier coding of the same tapes" in of_ada
    assert "an earlier coding" not in text(room.signed_in(group.people["Eve"]).get(f"{path}/agreement").text)


def test_a_tape_can_be_coded_again_while_it_is_kept(group: Year) -> None:
    """By default a tape lives for 90 days; the first time it was coded, and the second, must fit into them."""
    room = group.room
    with room.home.database.writing() as database:
        for coder_pass in database.query(Pass):
            coder_pass.locked_at = room.clock() - (KEPT_DAYS // 2) * DAY
    page = room.signed_in(group.people["Coco"]).get(f"/groups/{group.group}/visit").text
    assert "coded over 30 days ago" in text(page[page.index("To code again") :])
    assert "over 30 days ago" in text(room.signed_in(group.people["Ada"]).get(f"/groups/{group.group}/agreement").text)


def test_the_whole_group_can_be_recalibrated(group: Year) -> None:
    room = group.room
    coach = room.signed_in(group.people["Coco"])
    coach.post(f"/groups/{group.group}/recalibrated", {"person_id": EVERYONE})
    with room.home.database.reading() as database:
        assert database.query(Recalibration).count() == 5
        person, peers = database.get_one(Person, group.people["Coco"]), database.get_one(Group, group.group)
        gathered = gather_group_codes(room.home, database, person, peers, room.clock())
    assert len(gathered.recalibrated["group"]) == 1


def test_a_member_sees_the_group_and_the_own_charts_only(group: Year) -> None:
    room = group.room
    path = f"/groups/{group.group}"
    ben, ada = room.signed_in(group.people["Ben"]), room.signed_in(group.people["Ada"])
    assert "You: reflections" in text(ben.get(f"{path}/agreement").text)
    of_ada = text(ada.get(f"{path}/agreement").text)
    assert "Ben" not in of_ada
    assert "Eve" not in of_ada
    assert "The group as a whole" in of_ada
    assert "A coach has coded 14 of 17 tapes, on 14 days." in of_ada
    for page in ("visit", "pairs?family=reflection&coder=Ben&a=x&b=y"):
        assert ada.get(f"{path}/{page}").status_code == 404
    assert ada.post(f"{path}/recalibrated", {"person_id": group.people["Ada"]}).status_code == 404


def test_strangers_see_nothing(group: Year) -> None:
    room = group.room
    stranger = room.signed_in(room.person("Sam", room.group("Elsewhere"), role="coach"))
    for page in ("visit", "agreement", "pairs?family=reflection&coder=Ben&a=x&b=y"):
        assert stranger.get(f"/groups/{group.group}/{page}").status_code == 404
    assert room.browser().get(f"/groups/{group.group}/visit").status_code in (303, 401)


def test_a_recalibration_is_of_somebody_in_the_group(group: Year) -> None:
    room = group.room
    coach, elsewhere = room.signed_in(group.people["Coco"]), room.person("Sam", room.group("Elsewhere"))
    path = f"/groups/{group.group}/recalibrated"
    assert coach.post(path, {"person_id": elsewhere}).status_code == 404
    assert coach.post(path, {"person_id": group.people["Coco"]}).status_code == 404


def test_a_pair_that_is_not_there_is_not_found(group: Year) -> None:
    room = group.room
    coach = room.signed_in(group.people["Coco"])
    assert coach.get(f"/groups/{group.group}/pairs?family=question&coder=Ben&a=x&b=y").status_code == 404


def test_what_one_is_still_coding_stays_hidden(group: Year) -> None:
    room = group.room
    with room.home.database.writing() as database:
        for layer in ("coach", "member"):
            open_pass = database.query(Pass).filter(Pass.tape_id == group.tapes[0], Pass.layer == layer).first()
            assert open_pass
            open_pass.locked_at = None
        coach, peers = database.get_one(Person, group.people["Coco"]), database.get_one(Group, group.group)
        gathered = gather_group_codes(room.home, database, coach, peers, room.clock())
        assert group.tapes[0] not in gathered.tapes
        other = gather_group_codes(
            room.home, database, database.get_one(Person, group.people["Eve"]), peers, room.clock()
        )
    assert set(other.table[other.table["tape_id"] == group.tapes[0]]["layer"]) <= {"member", "machine"}


def test_a_group_without_codes_has_a_page(room: Room) -> None:
    group = room.group()
    coach = room.signed_in(room.person("Coco", group, role="coach"))
    page = text(coach.get(f"/groups/{group}/visit").text)
    assert "It is too early for a conclusion." in page
    member = room.signed_in(room.person("Ada", group))
    assert member.get(f"/groups/{group}/agreement").status_code == 200


def test_members_are_not_told_what_was_left_out_of_others_charts(group: Year, monkeypatch: pytest.MonkeyPatch) -> None:
    def noting(*given: Any) -> DriftReport:
        notes = (ChartNote(name, f"{name or 'All'} left out.") for name in ("", "Ada", "Ben"))
        return replace(detect_drift(*given), notes=tuple(notes))

    monkeypatch.setattr("pipeline.review.coach.routes.detect_drift", noting)
    told = {
        name: re.findall(r"(\w+) left out\.", group.room.signed_in(group.people[name]).get(path).text)
        for name, path in (("Coco", f"/groups/{group.group}/visit"), ("Ada", f"/groups/{group.group}/agreement"))
    }
    assert told == {"Coco": ["All", "Ada", "Ben"], "Ada": ["All", "Ada"]}


MITI = {"question_open": "question", "question_closed": "question"}


def in_miti(group: Year, names: tuple[str, ...] = ("Ada", "Ben", "Eve", "Coco")) -> None:
    """The passes of some are in MITI 4.2: what they heard is the same."""
    ids = [group.people[name] for name in names]
    with group.room.home.database.writing() as database:
        for coder_pass in database.query(Pass).filter(Pass.person_id.in_(ids)):
            coder_pass.codebook = "miti-4.2"
        for event in database.query(CodeEvent).filter(CodeEvent.person_id.in_(ids)):
            event.codes = [MITI.get(code, code) for code in event.codes]
        for position, tag in enumerate(database.query(Pretag)):
            if position % 3 == 0:
                tag.codes = ["change"]


def gathered_by(group: Year, name: str = "Coco", codebook: str = "") -> GroupCodes:
    with group.room.home.database.reading() as database:
        person, of = database.get_one(Person, group.people[name]), database.get_one(Group, group.group)
        return gather_group_codes(group.room.home, database, person, of, group.room.clock(), codebook=codebook)


def compared(gathered: GroupCodes) -> set[tuple[str, str, str]]:
    rows = agreement_table(gathered.rating_matrix, draws=100)
    rows = rows[rows["level"].isin(["all", "family"])]
    return set(zip(rows["comparison"], rows["b"], rows["name"], strict=True))


def test_a_chart_that_has_too_few_tapes_says_how_many(group: Year) -> None:
    room, path = group.room, f"/groups/{group.group}"
    with room.home.database.writing() as database:
        for coder_pass in database.query(Pass).filter(Pass.layer == "coach", Pass.tape_id != group.tapes[0]):
            coder_pass.locked_at, coder_pass.layer = None, "consensus"
    page_text = text(room.signed_in(group.people["Coco"]).get(f"{path}/visit").text)
    assert "Too early: 1 of 6 tapes." in page_text
    assert (
        "Too early for Ada, 1 of 6 tapes; Ben, 1 of 6 tapes; Eve, 1 of 6 tapes; the group, 1 of 6 tapes;" in page_text
    )
    assert "moved" not in page_text
    assert "Too early: 1 of 6 tapes." in text(room.signed_in(group.people["Ada"]).get(f"{path}/agreement").text)


def test_whether_the_machine_sways_is_told_with_its_numbers_or_not_at_all(group: Year) -> None:
    room, path = group.room, f"/groups/{group.group}/visit"
    coach = room.signed_in(group.people["Coco"])
    page_text = text(coach.get(path).text)
    # 17 tapes of 60 utterances, every fifth of them hidden.
    row = re.search(r"members(\d+ %) of (\d+) \((\d+ %) to (\d+ %)\)(\d+ %) of (\d+) \(", page_text)
    assert row
    assert (int(row[2]), int(row[6])) == (3 * 14 * 48, 3 * 14 * 12) or int(row[2]) == 4 * int(row[6])
    with room.home.database.writing() as database:
        for event in database.query(CodeEvent).filter(CodeEvent.tape_id != group.tapes[0]):
            event.pretag_shown = True
    page_text = text(coach.get(path).text)
    assert "too few: 12 of at least 20 utterances" in page_text
    assert "too few utterances: no verdict" in page_text or "no interval: no verdict" in page_text
