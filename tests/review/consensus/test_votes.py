"""To leave an utterance without a code is an opinion of it, where the pass could have coded it.

The tape of these tests, and what the machine suggests:
u1 open question, u2 change talk, u3 simple reflection, u4 "Mm-hm." (neutral), u5 complex reflection, u6 sustain talk,
u7 closed question, u8 neutral; u1, u3, u5 and u7 are the interviewer's.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from pipeline.review.coach.group_codes import gather_group_codes
from pipeline.tapes.db.records import Group, Person
from tests.review.coding import shelf
from tests.review.coding.conftest import Coder, Table

TALK = (
    ("question_open", "What would you like to be different by this summer?"),
    ("change", "I really want to stop drinking on weekdays."),
    ("reflection_simple", "You want to stop on weekdays."),
    ("neutral", "Mm-hm."),
    ("reflection_complex", "It matters to you to be there for your daughter."),
    ("sustain", "But honestly it is the only thing that helps me sleep."),
    ("question_closed", "Did you sleep well last week?"),
    ("neutral", "We moved here about three years ago."),
)
MINUTE = 60_000


def talk(each: int = 5_000) -> list[dict[str, Any]]:
    """The utterances, one begun every so many ms."""
    utterances = []
    for number, (code, text) in enumerate(TALK):
        words, start = text.split(), number * each
        utterances.append(
            {
                "utterance_id": f"u{number + 1}",
                "turn_id": f"t{number + 1}",
                "role": ("interviewer", "client")[number % 2],
                "speaker": ("S1", "S2")[number % 2],
                "start": start,
                "end": start + 300 * len(words),
                "text": text,
                "words": [[start + 300 * at, start + 300 * at + 300, word, 0.9] for at, word in enumerate(words)],
                "code": code,
                "probability": 0.9,
            }
        )
    return utterances


def seated(table: Table, minutes: float = 1.0, each: int = 5_000) -> Table:
    """The same people at the tape of these tests."""
    with table.room.home.database.reading() as session:
        ivy = session.scalars(select(Person.id).where(Person.name == "Ivy")).one()
    room = table.room
    tape = shelf.put_tape(room.home, table.group_id, ivy, room.clock(), minutes=minutes, utterances=talk(each))
    for coder in (table.interviewer, table.ada, table.ben):
        coder.tape_id = tape
    table.tape_id = tape
    return table


@pytest.fixture
def tape(table: Table) -> Table:
    return seated(table)


def coded(coder: Coder, codes: dict[str, str], task: str = "all", book: str = "pretags") -> Coder:
    coder.begin(task, book)
    for name, code in codes.items():
        coder.code(name, code)
    coder.lock()
    return coder


def board(coder: Coder, book: str = "pretags") -> dict[str, Any]:
    answer = coder.browser.get(f"/tapes/{coder.tape_id}/together/state?codebook={book}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def opinions(page_state: dict[str, Any], name: str) -> list[tuple[str, list[str]]]:
    [utterance] = [candidate for candidate in page_state["places"] if candidate["id"] == name]
    return [(candidate["coder"], candidate["codes"]) for candidate in utterance["opinions"]]


def values(page_state: dict[str, Any]) -> dict[str, Any]:
    return {measure["label"].partition(" (")[0]: measure["value"] for measure in page_state["measures"]}


ALL = {"u1": "question_open", "u3": "reflection_simple", "u5": "reflection_complex", "u7": "question_closed"}
CLIENT = {"u2": "change", "u6": "sustain", "u8": "neutral"}


def without(name: str) -> dict[str, str]:
    return {each: code for each, code in (ALL | CLIENT).items() if each != name}


def test_a_line_that_one_of_two_left_uncoded_is_disputed_and_counts_for_nobody(tape: Table) -> None:
    """Ada hears two reflections and two questions, Ben one and two: until they settle it, R:Q is 1 / 2."""
    coded(tape.ada, ALL | CLIENT)
    coded(tape.ben, without("u5"))
    page_state = board(tape.ada)
    assert page_state["queue"] == ["u5"]
    assert opinions(page_state, "u5") == [("Ada", ["reflection_complex"]), ("Ben", [])]
    assert (values(page_state)["Reflections per question"], values(page_state)["Complex reflections"]) == (0.5, 0.0)
    assert page_state["basis"] == "7 agreed by all coders, 1 still divided"
    body = {"id": "s1", "codebook": "pretags", "utterance_id": "u5", "action": "set", "codes": ["reflection_complex"]}
    path, headers = f"/tapes/{tape.tape_id}/together", {"X-CSRF-Token": tape.ada.token}
    after = tape.ada.browser.client.post(path, json=body, headers=headers).json()
    assert after["queue"] == []
    assert (values(after)["Reflections per question"], values(after)["Complex reflections"]) == (1.0, 50.0)


def test_a_pass_that_is_not_locked_left_nothing_out(tape: Table) -> None:
    coded(tape.ada, ALL)
    tape.ben.begin().code("u1", "question_open")
    page_state = board(tape.ada)
    assert page_state["queue"] == []
    assert opinions(page_state, "u5") == [("Ada", ["reflection_complex"])]


@pytest.mark.parametrize(
    ("task", "given", "disputed"),
    [
        ("questions-and-reflections", ALL, []),  # it asks for no client talk
        ("questions-and-reflections", {"u1": "question_open"}, ["u3", "u5", "u7"]),
        ("oars", {"u1": "question_open"}, ["u3", "u5"]),  # nor does this one for closed questions
        ("depth", {"u5": "reflection_complex"}, ["u3"]),
        ("change-and-sustain", {"u2": "change", "u8": "neutral"}, ["u6"]),
    ],
)
def test_what_a_task_did_not_ask_for_was_not_left_out(
    tape: Table, task: str, given: dict[str, str], disputed: list[str]
) -> None:
    coded(tape.ada, ALL | CLIENT)
    coded(tape.ben, given, task)
    page_state = board(tape.ada)
    assert [row["id"] for row in page_state["places"] if row["disputed"]] == disputed
    assert set(page_state["queue"]) == set(disputed)


def test_who_says_nothing_is_named_with_what_he_listened_for(tape: Table) -> None:
    coded(tape.ada, ALL | CLIENT)
    coded(tape.ben, {}, "depth")
    page_state = board(tape.ada)
    [utterance] = [candidate for candidate in page_state["places"] if candidate["id"] == "u5"]
    assert utterance["opinions"][1] == {"coder": "Ben", "codes": [], "unsure": False, "task": "Depth of reflections"}
    assert opinions(page_state, "u1") == [("Ada", ["question_open"])]


def test_a_narrow_task_leaves_the_machine_what_it_did_not_ask_for(tape: Table) -> None:
    """Ada hears the depth of reflections and finds one: with the machine's two questions R:Q is 1 / 2."""
    coded(tape.ada, {"u5": "reflection_complex"}, "depth")
    page_state = board(tape.ada)
    assert opinions(page_state, "u3") == [("Ada", [])]
    assert (values(page_state)["Reflections per question"], values(page_state)["Complex reflections"]) == (0.5, 100.0)
    assert values(page_state)["Change talk"] == 50.0


def test_a_codebook_without_client_codes_leaves_the_client_alone(tape: Table) -> None:
    book = "miti-4.2"
    coded(tape.ada, {"u1": "question", "u3": "reflection_simple"}, book=book)
    coded(tape.ben, {"u1": "question"}, book=book)
    page_state = board(tape.ada, book)
    assert page_state["queue"] == ["u3"]
    assert [opinions(page_state, name) for name in ("u2", "u4", "u6", "u8")] == [[], [], [], []]


def test_another_codebook_is_another_comparison(tape: Table) -> None:
    coded(tape.ada, ALL)
    coded(tape.ben, {"u1": "question"}, book="miti-4.2")
    assert (board(tape.ada)["queue"], board(tape.ada, "miti-4.2")["queue"]) == ([], [])


def test_a_listening_noise_needs_no_code(tape: Table) -> None:
    coded(tape.ada, ALL | CLIENT | {"u4": "neutral"})
    coded(tape.ben, ALL | CLIENT)
    assert board(tape.ada)["queue"] == []


def test_a_noise_that_one_takes_for_change_talk_is_disputed(tape: Table) -> None:
    coded(tape.ada, ALL | CLIENT | {"u4": "change"})
    coded(tape.ben, ALL | CLIENT)
    page_state = board(tape.ada)
    assert page_state["queue"] == ["u4"]
    assert opinions(page_state, "u4") == [("Ada", ["change"]), ("Ben", [])]


def test_what_was_split_later_nobody_left_out(tape: Table) -> None:
    """Ben, who splits it, codes the new half in a second pass; Ada locked hers before there was one."""
    coded(tape.ada, ALL | CLIENT)
    ben = tape.ben.begin()
    word = ben.state()["utterances"][4]["words"][4]["id"]
    ben.correct("split", "u5", {"word_id": word})
    half = f"u5~{word}"
    for name, code in (ALL | CLIENT | {half: "reflection_simple"}).items():
        ben.code(name, code)
    ben.lock()
    page_state = board(ben)
    assert page_state["queue"] == []
    assert opinions(page_state, half) == [("Ben", ["reflection_simple"])]
    page_state = board(coded(tape.interviewer, ALL | CLIENT))
    assert page_state["queue"] == [half]
    assert opinions(page_state, half) == [("Ben", ["reflection_simple"]), ("Ivy", [])]


def test_what_was_given_to_the_other_speaker_later_nobody_left_out(tape: Table) -> None:
    coded(tape.ada, ALL | CLIENT)
    ben = tape.ben.begin()
    ben.correct("speaker", "u8", {})
    for name, code in (without("u8") | {"u8": "information"}).items():
        ben.code(name, code)
    ben.lock()
    third = coded(tape.interviewer, ALL)
    assert opinions(board(third), "u8") == [("Ada", ["neutral"]), ("Ben", ["information"]), ("Ivy", [])]


def test_where_all_left_it_the_machine_does_not_count(tape: Table) -> None:
    """Both hear one open question and one reflection, and nothing else: R:Q is 1."""
    for coder in (tape.ada, tape.ben):
        coded(coder, {"u1": "question_open", "u3": "reflection_simple"})
    page_state = board(tape.ada)
    assert (page_state["queue"], page_state["basis"]) == ([], "8 agreed by all coders")
    assert (values(page_state)["Reflections per question"], values(page_state)["Open questions"]) == (1.0, 100.0)


def test_passes_without_any_code_leave_the_machine_its_say(tape: Table) -> None:
    coded(tape.ada, {})
    page_state = board(tape.ada)
    assert page_state["basis"] == "8 only suggested by the machine"
    assert values(page_state)["Reflections per question"] == 1.0


def test_a_coach_who_coded_a_stretch_left_out_nothing_beyond_it(table: Table) -> None:
    """A coach's stretch is five minutes: u1 to u5 begin in the first, u6 to u8 in the second."""
    seated(table, minutes=9, each=MINUTE)
    room = table.room
    coach = Coder(room.signed_in(room.person("Coco", table.group_id, role="coach")), table.tape_id)
    coded(table.ada, ALL | CLIENT)
    coded(coach, {"u1": "question_open", "u3": "reflection_simple"})
    page_state = board(coach)
    assert set(page_state["queue"]) == {"u2", "u5"}
    assert opinions(page_state, "u7") == [("Ada", ["question_closed"])]


def test_a_second_pass_stands_for_the_first(tape: Table) -> None:
    coded(tape.ada, ALL | CLIENT)
    coded(tape.ben, ALL | CLIENT)
    tape.room.clock.advance(MINUTE)
    coded(tape.ben, {"u3": "reflection_simple"}, "depth")
    page_state = board(tape.ada)
    assert page_state["queue"] == ["u5"]
    assert opinions(page_state, "u5") == [("Ada", ["reflection_complex"]), ("Ben", [])]
    assert opinions(page_state, "u1") == [("Ada", ["question_open"]), ("Ben", ["question_open"])]


def test_the_coach_s_page_takes_silence_as_the_group_s_does(tape: Table) -> None:
    """Of the two who listened one heard a reflection: the group has no code there, on both pages."""
    coded(tape.ada, ALL | CLIENT)
    coded(tape.ben, without("u5"))
    body = {"id": "s1", "codebook": "pretags", "utterance_id": "u1", "action": "set", "codes": ["question_open"]}
    path, headers = f"/tapes/{tape.tape_id}/together", {"X-CSRF-Token": tape.ada.token}
    assert tape.ada.browser.client.post(path, json=body, headers=headers).status_code == 200
    coco = tape.room.person("Coco", tape.group_id, role="coach")
    with tape.room.home.database.reading() as session:
        group, coach = session.get_one(Group, tape.group_id), session.get_one(Person, coco)
        table = gather_group_codes(tape.room.home, session, coach, group, tape.room.clock()).table
    group_codes = dict(table[table["layer"] == "consensus"][["utterance_id", "codes"]].itertuples(index=False))
    assert group_codes == without("u5") | {"u4": "", "u5": ""}
    [compared] = [row for row in board(tape.ada)["places"] if row["id"] == "u5"]
    assert compared["codes"] == []
