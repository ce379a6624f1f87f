"""The codes of a group as its charts take them."""

from __future__ import annotations

import re

from pipeline.measures.reliability.agreement import agreement_table
from pipeline.measures.reliability.comparisons import group_comparisons
from pipeline.review.coach.group_codes import gather_group_codes
from pipeline.review.consensus.consensus import majority_of_passes
from pipeline.tapes.db.records import CodeEvent, Group, Pass, Person
from tests.review.coach.test_routes import compared, gathered_by, in_miti, text
from tests.review.coach.year import UNITS, Year


def test_what_the_group_settled_on_is_its_consensus(group: Year) -> None:
    room = group.room
    tape = group.tapes[0]
    with room.home.database.writing() as database:
        made = Pass(
            tape_id=tape, person_id=None, layer="consensus", codebook="pretags", codebook_version="1.0", started_at=1
        )
        database.add(made)
        database.flush()
        database.add(
            CodeEvent(
                tape_id=tape,
                pass_id=made.id,
                person_id=group.people["Ada"],
                utterance_id="u5",
                at=room.clock(),
                action="set",
                codes=["affirmation"],
                client_event_id=f"{made.id}:1",
            )
        )
        person, peers = database.get_one(Person, group.people["Coco"]), database.get_one(Group, group.group)
        gathered = gather_group_codes(room.home, database, person, peers, room.clock())
    table = gathered.table[gathered.table["tape_id"] == tape].set_index("utterance_id")
    agreed = table[table["layer"] == "consensus"]["codes"]
    assert len(agreed) == UNITS
    assert agreed["u5"] == "affirmation"
    votes = table[table["layer"] == "member"]["codes"]["u6"]
    assert agreed["u6"] == votes.mode()[0]
    # What was left without a code is nobody's opinion: the one who gave one is not outvoted by silence.
    assert list(majority_of_passes([("simple",), ("simple", "open"), ("open",), ("closed",)])) == []
    assert list(majority_of_passes([("simple",), ("simple", "open"), ("open", "simple")])) == ["simple", "open"]
    pairs = {(comparison.kind, comparison.a, comparison.b) for comparison in group_comparisons(gathered.rating_matrix)}
    assert ("group and coach", "consensus", "coach") in pairs
    assert ("machine", "machine", "consensus") in pairs


def test_client_talk_is_not_coded_under_miti_and_nobody_is_compared_on_it(group: Year) -> None:
    in_miti(group)
    gathered = gathered_by(group)
    assert gathered.used == ("miti-4.2",)
    families = compared(gathered)
    assert not {name for _, _, name in families} & {"client_talk", "other"}
    assert {name for kind, _, name in families if kind == "machine"} == {"question", "reflection"}
    assert ("members", "members", "all codes") in families
    page = text(group.room.signed_in(group.people["Coco"]).get(f"/groups/{group.group}/visit").text)
    assert "Codebook: MITI 4.2 behavior counts." in page
    assert "Change and sustain talk: coded by the machine only. Nobody is compared on it because MITI 4.2" in page
    assert "Not in these figures: 3 tapes that you have yet to code or are still coding" in page
    figures = page[page.index("All figures") :]
    assert "Change and sustain talk" not in figures
    assert "nan" not in page.lower().split()
    mine = text(group.room.signed_in(group.people["Ada"]).get(f"/groups/{group.group}/agreement").text)
    assert "Change and sustain talk: coded by the machine only." in mine


def test_passes_in_two_codebooks_are_compared_on_what_both_can_tell(group: Year) -> None:
    in_miti(group, ("Ada", "Ben", "Eve"))
    gathered = gathered_by(group)
    assert gathered.used == ("miti-4.2", "pretags")
    assert ("coder and coach", "coach", "question") in {(a, "coach", c) for a, _, c in compared(gathered)}
    assert {name for kind, _, name in compared(gathered) if kind == "group and coach"} == {"question", "reflection"}
    in_pretags = gathered_by(group, codebook="pretags")
    assert {name for kind, _, name in compared(in_pretags) if kind == "group and coach"} == {
        "reflection",
        "information",
    }
    coach, path = group.room.signed_in(group.people["Coco"]), f"/groups/{group.group}"
    page = coach.get(f"{path}/visit").text
    assert f'href="{path}/visit?codebook=pretags"' in page
    link = re.search(rf'href="({path}/pairs\?[^"]*coder=Ben[^"]*)"', page)
    assert link
    assert coach.get(link[1].replace("&amp;", "&")).status_code == 200
    told = text(coach.get(f"{path}/visit?codebook=pretags").text)
    assert "Not compared on questions, because the task or the codebook did not include it: Ada, Ben, Eve." in told
    ada = text(group.room.signed_in(group.people["Ada"]).get(f"{path}/agreement?codebook=pretags").text)
    assert "Not compared on questions, because the task or the codebook did not include it: you." in ada
    assert "Ben" not in ada


def test_a_narrower_task_counts_for_what_it_asked_for(group: Year) -> None:
    with group.room.home.database.writing() as database:
        for coder_pass in database.query(Pass).filter(Pass.person_id == group.people["Ada"]):
            coder_pass.task = "depth"
    of_ada = {
        (row["level"], row["name"])
        for row in agreement_table(gathered_by(group).rating_matrix, draws=100).to_dict("records")
        if row["comparison"] == "coder and coach" and row["a"] == "Ada"
    }
    assert {name for level, name in of_ada if level in ("all", "family")} == {"reflection"}
    page = text(group.room.signed_in(group.people["Coco"]).get(f"/groups/{group.group}/visit").text)
    assert "Not compared on questions, because the task or the codebook did not include it: Ada." in page
