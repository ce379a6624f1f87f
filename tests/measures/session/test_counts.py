import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.coding import codebook, volleys
from pipeline.coding.codebook import Codebook
from pipeline.errors import TableError
from pipeline.formats import codebook_files
from pipeline.measures.session.counts import (
    BY_UTTERANCE,
    BY_VOLLEY,
    CHANGE,
    COMPLEX,
    MEANING_ROLES,
    OPEN,
    OTHER,
    PRETAG_MEANINGS,
    SIMPLE,
    TOTALS,
    CountingRule,
    count_codes,
    count_totals,
    counting_units,
    total_noun,
)
from pipeline.measures.session.draws import chosen_codes
from tests.measures.samples import table

SPOKEN = table(
    ("I", "reflection_simple"),
    ("I", "question_closed"),
    ("I", "reflection_complex|question_open"),
    ("I", "question_open"),
    ("C", "change"),
    ("C", "change"),
    ("I", "reflection_simple"),
    ("I", "reflection_simple"),
    ("I", "information"),
    ("I", "other"),
    ("C", "neutral"),
    ("I", "other"),
    ("I", "other"),
    volley=[1, 1, 1, 1, None, None, 2, 2, 2, 2, None, 3, 3],
)


def counted(rows: pd.DataFrame, rule: CountingRule) -> dict[str, int]:
    presence = counting_units(chosen_codes(rows), rule, rows)
    return {code: int(number[0]) for code, number in count_codes(presence, presence).items() if number[0]}


def summed(rows: pd.DataFrame, rule: CountingRule) -> dict[str, int]:
    return {
        total: int(number[0])
        for total, number in count_totals(counting_units(chosen_codes(rows), rule, rows), rule).items()
    }


def book(*codes: str, counting: str = "utterance") -> Codebook:
    """A codebook of lines ``name role family [pretag,pretag] [measure]``, ``-`` for no pre-tags."""
    text = f'name = "own"\nversion = "1"\nlabel = "Own"\ncounting = "{counting}"\n'
    for number, line in enumerate(codes):
        name, role, family, *more = line.split()
        pretags = [] if not more or more[0] == "-" else more[0].split(",")
        text += (
            f'[[codes]]\nname = "{name}"\nlabel = "Code {number}"\nletter = "L{number}"\nkey = "{chr(97 + number)}"\n'
        )
        text += f'role = "{role}"\nfamily = "{family}"\npretags = {pretags}\n'
        text += f'measure = "{more[1]}"\n' if len(more) > 1 else ""
    return codebook.parse(text)


# counting


def test_every_coded_utterance_counts() -> None:
    assert counted(SPOKEN, BY_UTTERANCE) == {
        "reflection_simple": 3,
        "reflection_complex": 1,
        "question_open": 2,
        "question_closed": 1,
        "information": 1,
        "other": 3,
        "change": 2,
        "neutral": 1,
    }


def test_a_volley_counts_each_behavior_once_and_complex_before_simple() -> None:
    assert counted(SPOKEN, BY_VOLLEY) == {
        "reflection_complex": 1,
        "question_open": 1,
        "question_closed": 1,
        "reflection_simple": 1,
        "information": 1,
        "other": 1,
        "change": 2,
        "neutral": 1,
    }


def test_a_volley_with_an_open_and_a_closed_question_is_one_question_and_not_open_alone() -> None:
    """Two volleys hold both, one a closed question: 3 questions, open in 2 volleys and closed in 3: 2 of 5 are open."""
    rows = table(
        *[("I", "question_open"), ("I", "question_closed"), ("C", "neutral")] * 2,
        ("I", "question_closed"),
        volley=[1, 1, None, 2, 2, None, 3],
    )
    result = summed(rows, BY_VOLLEY)
    assert (result["questions"], result["open_questions"], result["open_or_closed_questions"]) == (3, 2, 5)
    result = summed(rows, BY_UTTERANCE)
    assert (result["questions"], result["open_questions"], result["open_or_closed_questions"]) == (5, 2, 5)


@pytest.mark.parametrize(
    ("codes", "others"),
    [(("question_open", "other"), 0), (("other", "question_open"), 0), (("other",), 1), (("other", "other"), 1)],
)
def test_a_volley_counts_as_other_only_where_it_holds_nothing_else(codes: tuple[str, ...], others: int) -> None:
    rows = table(*(("I", code) for code in codes), volley=[1] * len(codes))
    assert counted(rows, BY_VOLLEY).get("other", 0) == others
    assert counted(rows, codebook_files.read("miti-4.2").rule()).get("other", 0) == others


def test_a_volley_with_a_code_of_ones_own_is_not_other() -> None:
    assert counted(table(("I", "scaling"), ("I", "other"), volley=[1, 1]), BY_VOLLEY) == {"scaling": 1}


@pytest.mark.parametrize("numbers", [[None, None, None], [1, None, None], [None, 1, None], [1, 2, None]])
def test_interviewer_rows_without_a_number_are_volleys_of_their_own(numbers: list[int | None]) -> None:
    rows = table(*[("I", "question_open")] * 3, volley=numbers)
    assert counted(rows, BY_VOLLEY) == {"question_open": 3}
    assert summed(rows, BY_VOLLEY)["questions"] == 3


def test_a_hundred_rows_without_a_number_are_a_hundred_volleys() -> None:
    assert counted(table(*[("I", "information")] * 100).assign(volley=None), BY_VOLLEY) == {"information": 100}


def test_a_volley_may_be_interrupted_in_the_table() -> None:
    rows = table(("I", "information"), ("C", "neutral"), ("I", "information"), volley=[1, None, 1])
    assert counted(rows, BY_VOLLEY) == {"information": 1, "neutral": 1}


def test_the_client_counts_utterance_by_utterance() -> None:
    rows = table(("C", "change"), ("C", "change|sustain"), volley=[1, 1])
    assert counted(rows, BY_VOLLEY) == {"change": 2, "sustain": 1}
    assert [summed(rows, BY_VOLLEY)[total] for total in ("change_talk", "sustain_talk", "talk")] == [2, 1, 3]


def test_volleys_come_from_the_units_that_the_tape_was_cut_into() -> None:
    rows = table(
        *[("I", "reflection_simple"), ("I", "question_open"), ("C", "neutral"), ("I", "reflection_complex")],
        turn_id=["1", "1", "2", "3"],
    )
    assert counted(rows.assign(volley=volleys.volleys(rows)), BY_VOLLEY) == {
        "reflection_simple": 1,
        "question_open": 1,
        "neutral": 1,
        "reflection_complex": 1,
    }


def test_counting_volleys_needs_their_numbers() -> None:
    message = "^TR-T03 coded table lacks the column 'volley'; number the volleys first$"
    with pytest.raises(TableError, match=message):
        counted(SPOKEN.drop(columns="volley"), BY_VOLLEY)


def test_nobody_speaking_counts_nothing() -> None:
    assert counted(table(volley=[]), BY_VOLLEY) == {}
    assert counted(table(), BY_UTTERANCE) == {}
    assert set(summed(table(volley=[]), BY_VOLLEY).values()) == {0}


def test_a_code_counts_on_utterances_of_its_own_role_alone() -> None:
    """An utterance that was coded as a question, and then found to be the client's, is no question."""
    rows = table(
        ("C", "question"), ("I", "question"), ("I", "question_open"), ("U", "question"), volley=[None, 1, 2, 3]
    )
    assert summed(rows, codebook_files.read("miti-4.2").rule())["questions"] == 2


ROWS = st.lists(
    st.tuples(
        st.sampled_from("IIIC"),
        st.sets(st.sampled_from([*PRETAG_MEANINGS, "scaling"]), max_size=3),
        st.sampled_from([None, 1, 2, 3]),
    ),
    max_size=12,
)


@given(ROWS)
@settings(max_examples=200, deadline=None)
def test_volleys_are_counted_as_one_would_by_hand(rows: list[tuple[str, set[str], int | None]]) -> None:
    """Each volley as the set of its codes, each row without a number and each of the client's a set of its own."""
    frame = table(*((role, "|".join(sorted(codes))) for role, codes, _ in rows), volley=[number for *_, number in rows])
    codes_of_role = {
        role: {name for name, meaning in PRETAG_MEANINGS.items() if meaning_role(meaning) == role} for role in "IC"
    }
    sets: dict[object, set[str]] = {}
    for at, (role, codes, number) in enumerate(rows):
        key = ("volley", number) if role == "I" and number else ("row", at)
        sets[key] = sets.get(key, set()) | (codes & (codes_of_role[role] | {"scaling"}))
    volleys = list(sets.values())
    result = summed(frame, BY_VOLLEY)
    assert result["questions"] == sum(bool(volley & {"question_open", "question_closed"}) for volley in volleys)
    assert result["reflections"] == sum(
        bool(volley & {"reflection_simple", "reflection_complex"}) for volley in volleys
    )
    assert result["complex_reflections"] == sum("reflection_complex" in volley for volley in volleys)
    assert result["simple_or_complex_reflections"] == result["reflections"]
    assert result["open_questions"] == sum("question_open" in volley for volley in volleys)
    assert result["open_or_closed_questions"] - result["open_questions"] == sum(
        "question_closed" in volley for volley in volleys
    )
    assert result["change_talk"] == sum("change" in volley for volley in volleys)
    codes = counted(frame, BY_VOLLEY)
    assert codes.get("reflection_simple", 0) == sum(
        "reflection_simple" in volley and "reflection_complex" not in volley for volley in volleys
    )
    assert codes.get("other", 0) == sum(volley == {"other"} for volley in volleys)
    assert codes.get("scaling", 0) == sum("scaling" in volley for volley in volleys)


def meaning_role(meaning: str) -> str:
    return "C" if meaning in ("change talk", "sustain talk", "neutral") else "I"


@given(ROWS)
@settings(max_examples=50, deadline=None)
def test_one_volley_a_row_counts_as_utterances_do_save_complex_before_simple(
    rows: list[tuple[str, set[str], int | None]],
) -> None:
    single = table(*((role, "".join(codes)) for role, codes, _ in rows if len(codes) < 2)).assign(volley=None)
    assert summed(single, BY_VOLLEY) == summed(single, BY_UTTERANCE)


# what a codebook allows

SHIPPED = {
    # total that the codebook lacks -> why, by hand and by the machine where they differ
    "pretags": {
        "affirmations": "this codebook has no code for affirmations",
        "summaries": "this codebook has no code for summaries",
    },
    "miti-4.2": {
        "open_questions": "this codebook has no code for open questions",
        "open_or_closed_questions": "this codebook does not distinguish open from closed questions",
        "summaries": "this codebook has no code for summaries",
    },
    "oars": {
        "questions": "this codebook has a code for open questions only, not for all questions",
        "open_or_closed_questions": "this codebook does not distinguish open from closed questions",
        "complex_reflections": "this codebook has no code for complex reflections",
        "simple_or_complex_reflections": "this codebook does not distinguish complex from simple reflections",
    },
}
UNPROPOSED = {
    "pretags": {},
    "miti-4.2": {"affirmations": "the machine suggests no affirmations in this codebook"},
    "oars": {
        "affirmations": "the machine suggests no affirmations in this codebook",
        "summaries": "the machine suggests no summaries in this codebook",
    },
}


def lacking(rule: CountingRule) -> dict[str, str]:
    return {total: why for total in TOTALS if (why := rule.missing_reason(total))}


@pytest.mark.parametrize("name", codebook_files.shipped())
def test_a_shipped_codebook_says_what_it_cannot_count_and_why(name: str) -> None:
    shipped = codebook_files.read(name)
    assert lacking(shipped.rule()) == SHIPPED[name]
    assert lacking(shipped.rule(by_hand=False)) == SHIPPED[name] | UNPROPOSED[name]


def test_a_total_is_there_exactly_where_the_codebook_allows_it() -> None:
    for name in codebook_files.shipped():
        rule = codebook_files.read(name).rule()
        assert set(summed(SPOKEN, rule)) == set(TOTALS) - set(SHIPPED[name])


QUESTIONS = "question", "open or closed question"


@pytest.mark.parametrize(
    ("codes", "questions", "told"),
    [
        (["q interviewer question"], None, "does not distinguish open from closed"),
        (["oq interviewer question question_open"], "open questions only", "does not distinguish open from closed"),
        (["cq interviewer question question_closed"], "closed questions only", "does not distinguish open from closed"),
        (["oq interviewer question - open"], "open questions only", "does not distinguish open from closed"),
        (["question_open interviewer question"], "open questions only", "does not distinguish open from closed"),
        (["a interviewer question - open", "b interviewer question - closed"], None, None),
        (["a interviewer question question_open", "b interviewer question question_closed"], None, None),
        (["open_q interviewer question", "closed_q interviewer question"], None, None),
        (["a interviewer question - open", "b interviewer question"], None, "does not distinguish open from closed"),
        (["a interviewer mine question_open,question_closed"], None, "does not distinguish open from closed"),
        (["a interviewer mine question_open"], "open questions only", "does not distinguish open from closed"),
        (["a interviewer mine"], "no code for questions", "no code for questions"),
        (["q client question"], "no code for questions", "no code for questions"),
        (["open_or_closed interviewer question"], None, "does not distinguish open from closed"),
        (["question_open interviewer question question_open question"], None, "does not distinguish open from closed"),
    ],
)
def test_what_is_a_question_follows_from_measure_pretags_family_and_name(
    codes: list[str], questions: str | None, told: str | None
) -> None:
    rule = book(*codes).rule()
    for total, part in (("questions", questions), ("open_or_closed_questions", told)):
        why = rule.missing_reason(total)
        assert (why is None) == (part is None), why
        assert part is None or part in str(why)


@pytest.mark.parametrize(
    ("codes", "machine", "talk"),
    [
        (["q interviewer question"], True, None),
        (["x client mine"], True, None),
        (["c client mine change", "s client mine sustain"], False, None),
        (["change client client_talk", "sustain client client_talk"], False, None),
        (["a client mine - change", "b client mine - sustain"], False, None),
        (["c client client_talk change"], False, "this codebook has no code for sustain talk"),
        (["sustain_talk client mine"], False, "this codebook has no code for change talk"),
    ],
)
def test_the_machines_change_talk_stays_where_the_codebook_has_none(
    codes: list[str], machine: bool, talk: str | None
) -> None:
    rule = book(*codes).rule()
    assert (rule.machine_talk, rule.missing_reason("talk")) == (machine, talk)
    assert "change" in rule.codes_for(CHANGE) or not machine


def test_several_codes_of_one_meaning_are_one_on_an_utterance() -> None:
    """As in MISC, where desire, ability and commitment are all change talk, and the machine proposes each of them."""
    custom = book("D+ client client_talk change", "A+ client client_talk change", "S- client client_talk sustain")
    rows = table(("C", "D+|A+"), ("C", "D+"), ("C", "S-"), ("C", "change"))
    assert [summed(rows, custom.rule())[total] for total in ("change_talk", "talk")] == [3, 4]
    assert counted(rows, custom.rule()) == {"D+": 2, "A+": 1, "S-": 1, "change": 1}


def test_the_machines_code_counts_as_the_one_code_that_it_proposes() -> None:
    rows = table(("I", "question_open"), ("I", "question_closed"), ("I", "question"), volley=[1, 1, 2])
    miti = codebook_files.read("miti-4.2")
    assert counted(rows, miti.rule()) == {"question": 2}
    assert counted(rows, miti.rule(by_hand=False)) == {"question_open": 1, "question_closed": 1, "question": 1}
    assert summed(rows, miti.rule(by_hand=False))["questions"] == 1


def test_the_machines_own_codebook_counts_as_no_codebook_does() -> None:
    rule = codebook_files.read("pretags").rule(by_hand=False)
    assert set(rule.codes) == set(BY_UTTERANCE.codes)
    assert replace(rule, codes=BY_UTTERANCE.codes) == BY_UTTERANCE
    assert codebook_files.read("miti-4.2").rule().unit == BY_VOLLEY.unit == "volley"


def test_what_the_machine_cannot_propose_is_no_zero() -> None:
    half = book("a interviewer question question_open", "b interviewer question - closed")
    assert half.rule().missing_reason("questions") is None
    assert (
        half.rule(by_hand=False).missing_reason("questions")
        == "the machine suggests no closed questions in this codebook"
    )


@pytest.mark.parametrize(
    ("codes", "total", "reason"),
    [
        (["r interviewer reflection"], "simple_or_complex_reflections", "does not distinguish complex from simple"),
        (["q interviewer question"], "open_or_closed_questions", "does not distinguish open from closed"),
        (["r interviewer reflection"], "reflections", "the machine suggests no reflections"),
        (["o interviewer mine - open"], "questions", "a code for open questions only"),
        (["a interviewer mine"], "reflections", "no code for reflections"),
    ],
)
def test_what_the_codebook_lacks_is_not_laid_on_the_machine_nor_denied(
    codes: list[str], total: str, reason: str
) -> None:
    """A codebook whose codes nothing proposes still has these codes, and lacks what it lacks by hand."""
    assert reason in str(book(*codes).rule(by_hand=False).missing_reason(total))


@pytest.mark.parametrize("by_machine", list(itertools.product(("", "pretag"), repeat=4)))
def test_the_machine_s_reason_is_the_codebook_s_or_its_own(by_machine: tuple[str, ...]) -> None:
    kinds = ("question_open", "question_closed", "reflection_simple", "reflection_complex")
    names = dict(zip(kinds, ("open", "closed", "simple", "complex"), strict=True))
    for number in range(1, 5):
        for chosen in itertools.combinations(range(4), number):
            codes = [
                f"c{at} interviewer mine {kinds[at] if by_machine[at] else '-'} {names[kinds[at]]}" for at in chosen
            ]
            custom = book(*codes)
            by_hand, by_itself = lacking(custom.rule()), lacking(custom.rule(by_hand=False))
            for total in TOTALS:
                wanted = by_hand.get(total)
                machine_lacks = str(by_itself.get(total)).startswith("the machine suggests no")
                assert by_itself.get(total) == wanted or (wanted is None and machine_lacks), total


EMPTY = {
    "questions": "questions",
    "open_questions": "open questions",
    "open_or_closed_questions": "questions",
    "reflections": "reflections",
    "complex_reflections": "complex reflections",
    "simple_or_complex_reflections": "reflections",
    "change_talk": "change talk",
    "sustain_talk": "sustain talk",
    "talk": "change talk",
    "affirmations": "affirmations",
    "summaries": "summaries",
}
FIRST = EMPTY | {"open_or_closed_questions": "open questions", "simple_or_complex_reflections": "complex reflections"}


def test_without_any_code_every_total_lacks_the_first_of_its_meanings() -> None:
    assert lacking(CountingRule(codes_by_meaning={})) == {
        total: f"this codebook has no code for {noun}" for total, noun in EMPTY.items()
    }
    unproposed = CountingRule(codes_by_meaning={}, unproposed=frozenset(MEANING_ROLES))
    assert lacking(unproposed) == {
        total: f"the machine suggests no {noun} in this codebook" for total, noun in FIRST.items()
    }


def test_families_are_meanings_of_the_interviewer() -> None:
    for family in ("question", "reflection", "affirmation", "summary", "information", "other"):
        assert "x" in book(f"x interviewer {family}").rule().codes_for(family)
        assert "x" not in book(f"x client {family}").rule().codes_for(family)


def test_a_code_may_be_called_like_a_total() -> None:
    custom = book("talk interviewer mine", "reflections interviewer mine").rule()
    assert counted(table(("I", "talk"), ("I", "reflections|talk")), custom) == {"talk": 2, "reflections": 1}
    assert custom.missing_reason("reflections") == "this codebook has no code for reflections"


@pytest.mark.parametrize(
    ("meaning", "names"),
    [
        (OPEN, ("question_open",)),
        (COMPLEX, ("reflection_complex",)),
        (SIMPLE, ("reflection_simple",)),
        (OTHER, ("other",)),
    ],
)
def test_names_of_a_meaning(meaning: str, names: tuple[str, ...]) -> None:
    assert BY_UTTERANCE.codes_for(meaning) == names
    assert BY_UTTERANCE.codes_for(meaning, meaning) == names


@pytest.mark.parametrize(
    ("total", "number", "text"),
    [
        ("reflections", 1, "reflection"),
        ("reflections", 0, "reflections"),
        ("reflections", 2, "reflections"),
        ("open_questions", 0, "open questions"),
        ("talk", 0, "utterances of change or sustain talk"),
        ("change_talk", 1, "utterances of change talk"),
    ],
)
def test_totals_in_words(total: str, number: int, text: str) -> None:
    assert total_noun(total, number) == text
    assert total_noun(total) == total_noun(total, 0)


def test_every_draw_is_counted_by_itself() -> None:
    rows = table(("I", ""), ("I", ""), volley=[1, 1])
    drawn = {"question_open": np.array([[True, True], [False, True], [False, False]])}
    for rule, numbers in ((BY_UTTERANCE, [2, 1, 0]), (BY_VOLLEY, [1, 1, 0])):
        presence = counting_units(drawn, rule, rows)
        assert count_codes(presence, ["question_open", "change"])["question_open"].tolist() == numbers
        assert count_totals(presence, rule)["questions"].tolist() == numbers


def test_two_kinds_on_one_utterance_are_two_and_in_one_volley_one() -> None:
    frame = pd.DataFrame({"role": ["interviewer"], "volley": [1], "codes": ["reflection_simple|reflection_complex"]})
    result = {
        rule.unit: int(count_totals(counting_units(chosen_codes(frame), rule, frame), rule)["reflections"][0])
        for rule in (BY_UTTERANCE, BY_VOLLEY)
    }
    assert result == {"utterance": 2, "volley": 1}


@pytest.mark.parametrize("role", ["interviewer", "unknown"])
def test_a_code_on_an_utterance_of_another_s_counts_nothing(role: str) -> None:
    frame = pd.DataFrame({"role": [role], "volley": [1], "codes": ["change"]})
    assert (
        int(count_totals(counting_units(chosen_codes(frame), BY_UTTERANCE, frame), BY_UTTERANCE)["change_talk"][0]) == 0
    )


def test_totals_are_named_in_words() -> None:
    assert total_noun("sustain_talk") == "utterances of sustain talk"
    assert total_noun("change_talk", 1) == "utterances of change talk"
