import pandas as pd
import pytest

from pipeline.measures.session.measures import session_measures
from pipeline.measures.session.readiness import readiness_line
from pipeline.measures.session.strengths import Strength, strengths
from tests.measures.samples import RULE, coded, table


def statements(rows: pd.DataFrame) -> dict[str, Strength]:
    return {strength.name: strength for strength in strengths(rows, session_measures(rows, RULE), readiness_line(rows))}


def test_the_invented_session_by_hand() -> None:
    result = statements(coded())
    assert {name: strength.text for name, strength in result.items()} == {
        "reflection_change": "9 times a reflection was followed directly by change talk.",
        "question_change": "Twice an open question was followed directly by change talk.",
        "change_picked_up": "11 times change talk was picked up right away "
        "with a reflection, an affirmation or an open question.",
        "sustain_reflected": "4 times sustain talk was met with a reflection.",
        "turned": "Once the client's talk turned from sustain talk toward change talk.",
        "more_reflections": "There were more reflections (12) than questions (9), "
        "and the uncertainty of the tags does not change that.",
        "complex": "5 reflections went beyond the client's words (complex).",
        "affirmation": "Twice the interviewer affirmed the client.",
        "percent_open_questions": "Most questions were open: 6 of 9.",
        "listening": '2 small signs of listening ("mm-hm") accompanied the client\'s words.',
    }


def test_passages_are_the_surest_ones_in_order_of_time() -> None:
    talk = "I reflection_simple {} You want to.\nC change {} I do want to.\n"
    result = statements(coded(talk.format(".6", ".9") + talk.format(".9", ".9") + talk.format(".8", ".9")))
    assert result["reflection_change"].text.startswith("3 times")
    assert result["reflection_change"].passages == ((2, 3), (4, 5))


def test_a_turn_is_shown_from_what_the_interviewer_said_before_it() -> None:
    assert statements(coded())["turned"].passages == ((17, 19),)


def test_room_to_speak_reaches_across_listening_noises() -> None:
    words = " ".join(["word"] * 40)
    result = statements(
        coded(f"I other .9 Good morning to you.\nC neutral .9 {words}\nI other .9 Mm-hm.\nC neutral .9 {words}")
    )
    # 40 words of 330 ms, a gap, "Mm-hm.", a gap, and 40 words again: 13.2 + 0.5 + 0.33 + 0.5 + 13.2 seconds.
    assert result["long_talk"].text == "The client had room to speak: up to 28 seconds at a stretch."
    assert result["long_talk"].passages == ((1,),)
    assert result["client_share"].text == "The client had most of the talk time: 94%."
    assert result["listening"].text.startswith("1 small sign of")


@pytest.mark.parametrize(
    "rows",
    [
        table(),
        table(("U", "")),
        table(("C", "change"), ("C", "sustain")),
        table(("I", "question_closed"), ("C", "neutral")),
        table(("I", "information"), ("C", "sustain"), ("I", "information")),
    ],
)
def test_nothing_is_praised_that_is_not_there(rows: pd.DataFrame) -> None:
    assert statements(rows) == {}


def test_more_reflections_than_questions_may_be_in_doubt() -> None:
    rows = table(("I", "reflection_simple"), ("I", "reflection_simple"), ("I", "question_open"))
    rows = rows.assign(p_reflection_simple=[0.5, 0.5, 0.0], p_reflection_complex=0.0)
    assert statements(rows)["more_reflections"].text == "There were more reflections (2) than questions (1)."
