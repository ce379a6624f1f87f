import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.formats import codebook_files
from pipeline.measures.session.counts import BY_UTTERANCE, BY_VOLLEY, CountingRule
from pipeline.measures.session.measures import Measure, session_measures
from pipeline.measures.session.readiness import readiness_line
from tests.measures.samples import CLIENT_CODES, INTERVIEWER_CODES, coded, table

OARS = codebook_files.read("oars").rule()


def value(result: Measure) -> tuple[float | None, float, float | None]:
    return result.value, result.numerator, result.denominator


def test_ratios_by_hand() -> None:
    rows = [("I", "question_open")] * 3 + [("I", "question_closed")] * 2 + [("I", "reflection_complex")] * 3
    rows += [("I", "reflection_simple")] * 4 + [("C", "change")] * 6 + [("C", "sustain")] * 2 + [("C", "neutral")] * 9
    measures = session_measures(table(*rows)).ratios
    assert {name: value(measure) for name, measure in measures.items()} == {
        "reflections_per_question": (7 / 5, 7, 5),
        "reflections_per_open_question": (7 / 3, 7, 3),
        "percent_complex_reflections": (300 / 7, 3, 7),
        "percent_open_questions": (60, 3, 5),
        "percent_change_talk": (75, 6, 8),
    }
    assert all(
        measure.low == measure.high == measure.median == pytest.approx(measure.value) for measure in measures.values()
    )


def test_the_invented_session_by_hand() -> None:
    measures = session_measures(coded())
    assert {name: value(measure)[1:] for name, measure in measures.ratios.items()} == {
        "reflections_per_question": (12, 9),
        "reflections_per_open_question": (12, 6),
        "percent_complex_reflections": (5, 12),
        "percent_open_questions": (6, 9),
        "percent_change_talk": (17, 24),
    }
    assert measures.utterances == {"interviewer": 27, "client": 33, "other": 0, "unknown": 0}


def test_without_a_denominator_a_measure_is_undefined_and_says_why() -> None:
    measures = session_measures(table(*[("I", "reflection_simple")] * 5, ("C", "neutral"))).ratios
    assert {
        name: (measure.value, measure.low, measure.high, measure.undefined) for name, measure in measures.items()
    } == {
        "reflections_per_question": (None, None, None, "5 reflections, 0 questions"),
        "reflections_per_open_question": (None, None, None, "5 reflections, 0 open questions"),
        "percent_complex_reflections": (0, 0, 0, None),
        "percent_open_questions": (None, None, None, "0 open or closed questions"),
        "percent_change_talk": (None, None, None, "0 utterances of change or sustain talk"),
    }
    alone = session_measures(table(("I", "reflection_complex"))).ratios["reflections_per_question"]
    assert alone.undefined == "1 reflection, 0 questions"


def test_a_lone_doubtful_question_leaves_the_ratio_open_above() -> None:
    rows = table(*[("I", "reflection_simple")] * 4, ("I", "question_open"))
    rows = rows.assign(p_question_open=[0, 0, 0, 0, 0.6], p_question_closed=0.0)
    measures = session_measures(rows).ratios["reflections_per_question"]
    assert (measures.value, measures.low, measures.high, measures.median) == (4, 4, None, 4)
    assert measures.defined == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize(("rule", "meant_for"), [(BY_UTTERANCE, "meant for counts per volley"), (BY_VOLLEY, "")])
def test_published_values_are_given_as_expert_opinion_on_counts_by_volley(rule: CountingRule, meant_for: str) -> None:
    measures = session_measures(coded().assign(volley=range(60)), rule).ratios
    published = {
        name: [(entry.value, entry.label) for entry in measure.references] for name, measure in measures.items()
    }
    assert published.pop("reflections_per_question") == [(1, "fair"), (2, "good")]
    assert published.pop("percent_complex_reflections") == [(40, "fair"), (50, "good")]
    assert not any(published.values())
    sources = [entry.source for measure in measures.values() for entry in measure.references]
    assert all("expert opinion" in source and meant_for in source for source in sources)
    assert meant_for or not any("volley" in source for source in sources)


@pytest.mark.parametrize("role", ["U", "O"])
def test_where_nobody_has_said_who_is_who_every_figure_is_withheld(role: str) -> None:
    """Zero questions of nobody would be false; the seconds of speech are true."""
    measures = session_measures(table((role, ""), (role, ""), start=[0, 2_000], end=[2_000, 5_000]))
    figures = (*measures.ratios.values(), *measures.counts.values(), *measures.oars.values(), *measures.client.values())
    assert {(measure.value, measure.low, measure.undefined) for measure in figures} == {
        (None, None, "nobody has said yet who is who")
    }
    assert measures.withheld == "nobody has said yet who is who"
    assert measures.talk["unknown" if role == "U" else "other"].numerator == 5


def test_client_without_an_interviewer_has_figures() -> None:
    measures = session_measures(table(("C", "change"), ("O", "")))
    assert (measures.withheld, measures.client["change_talk"].value) == (None, 1)


def test_talk_time_is_shared_by_those_with_a_role() -> None:
    """2 seconds and 6 of the two; those of a voice without a role and of a third person belong to no figure."""
    measures = session_measures(
        table(
            *(("I", ""), ("C", ""), ("U", ""), ("O", "")),
            start=[0, 2_000, 4_000, 8_000],
            end=[2_000, 8_000, 5_000, 11_000],
        )
    ).talk
    assert {role: value(measure) for role, measure in measures.items()} == {
        "interviewer": (25, 2, 8),
        "client": (75, 6, 8),
        "other": (None, 3, 8),
        "unknown": (None, 1, 8),
    }
    assert measures["other"].undefined == "who is neither interviewer nor client does not count in any figure"
    assert measures["unknown"].undefined == "a voice without a role does not count in any figure"
    assert all(measure.low is measure.high is None for measure in measures.values())


def test_talk_time_needs_times_and_talk_of_somebody_with_a_role() -> None:
    assert session_measures(table(("I", ""))).talk["client"].undefined == "the utterances have no times"
    for rows in (coded(""), coded("U - .5 Hello.")):
        measures = session_measures(rows).talk
        assert {measure.undefined for measure in measures.values()} == {"nobody with a role speaks"}
        assert {measure.value for measure in measures.values()} == {None}


def test_oars_are_counted_where_they_are_coded() -> None:
    rows = table(("I", "affirmation|reflection"), ("I", "reflection"), ("I", "question_open"))
    measures = session_measures(rows, OARS)
    assert {name: measure.value for name, measure in measures.oars.items()} == {
        "open_questions": 1,
        "affirmations": 1,
        "reflections": 2,
        "summaries": 0,
    }
    assert session_measures(table(("I", "other"))).oars["affirmations"].undefined == (
        "this codebook has no code for affirmations"
    )


@pytest.mark.parametrize("name", codebook_files.shipped())
def test_any_code_of_a_codebook_may_be_given_by_nobody(name: str) -> None:
    book = codebook_files.read(name)
    rule = book.rule()
    for code in ("", *rule.codes):
        rows = table(("I", code), ("C", "")).assign(volley=[1, None])
        measures = session_measures(rows, rule)
        assert all(measures.counts[code].value in (0, 1) for code in rule.codes)
        assert measures.ratios["reflections_per_question"].value in (None, 0)


def test_codes_that_only_the_table_holds_are_counted_too() -> None:
    assert session_measures(table(("I", "affirmation"))).counts["affirmation"].value == 1


def test_volleys_count_once() -> None:
    rows = coded()
    volley = (rows["role"] != rows["role"].shift()).cumsum().where(rows["role"] == "interviewer")
    measures = session_measures(rows.assign(volley=volley), BY_VOLLEY)
    # One turn holds a reflection with a question, every other interviewer's turn a single behavior.
    assert (
        measures.ratios["reflections_per_question"].numerator,
        measures.ratios["reflections_per_question"].denominator,
    ) == (12, 9)


@pytest.mark.parametrize("width", [0, 1, -0.5, 90])
def test_a_width_is_a_share(width: float) -> None:
    with pytest.raises(ValueError, match="it must lie between 0 and 1"):
        session_measures(coded(), width=width)


def test_a_wider_interval_holds_a_narrower_one() -> None:
    narrow, wide = (session_measures(coded(), width=width).ratios["percent_change_talk"] for width in (0.5, 0.95))
    assert wide.low <= narrow.low <= narrow.high <= wide.high


def test_json_is_plain_and_complete() -> None:
    plain = session_measures(coded(), session_effect_sd={"open": 0.3}, seed=5).as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert list(plain) == [
        "schema",
        "rule",
        "width",
        "draws",
        "seed",
        "spread",
        "utterances",
        "ratios",
        "counts",
        "oars",
        "talk",
        "client",
        "withheld",
    ]
    assert plain["withheld"] is None
    assert (plain["schema"], plain["width"], plain["seed"], plain["spread"]) == (1, 0.9, 5, {"open": 0.3})
    assert list(plain["rule"]) == ["unit", "questions", "reflections", "codes"]
    assert plain["rule"]["unit"] == "utterance"
    assert plain["ratios"]["reflections_per_question"]["value"] == 1.3333
    measure = {"name", "label", "unit", "value", "numerator", "denominator", "low", "high", "median", "defined"}
    assert set(plain["counts"]["change"]) == measure | {"undefined", "references", "note"}


ROWS = st.lists(
    st.one_of(
        st.tuples(
            st.just("I"),
            st.sampled_from(["question_open", "question_closed", ""]),
            st.sampled_from(["reflection_simple", "reflection_complex", ""]),
            st.floats(0, 1),
        ),
        st.tuples(st.sampled_from("CU"), st.sampled_from(CLIENT_CODES), st.just(""), st.floats(0, 1)),
    ),
    max_size=25,
)


def doubtful(rows: list[tuple[str, str, str, float]]) -> pd.DataFrame:
    """A table with codes in which each chosen code has the given probability."""
    codes = ["|".join(code for code in (first, second) if code) or "other" for _, first, second, _ in rows]
    p = {
        f"p_{code}": [sure * (code in result.split("|")) for (*_, sure), result in zip(rows, codes, strict=True)]
        for code in INTERVIEWER_CODES + CLIENT_CODES
    }
    return table(*[(role, result) for (role, *_), result in zip(rows, codes, strict=True)], **p)


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_counts_add_up_and_intervals_hold_their_medians(rows: list[tuple[str, str, str, float]]) -> None:
    measures = session_measures(doubtful(rows), draws=200)
    interviewer, client = measures.utterances["interviewer"], measures.utterances["client"]
    assert sum(measures.counts[code].value for code in CLIENT_CODES) == client
    assert sum(measures.counts[code].value for code in ("question_open", "question_closed")) <= interviewer
    assert measures.counts["other"].value + measures.oars["reflections"].value <= interviewer
    for measure in (*measures.ratios.values(), *measures.counts.values()):
        if measure.low is not None and measure.median is not None:
            assert measure.low <= measure.median <= (np.inf if measure.high is None else measure.high)
        if measure.unit == "percent" and measure.value is not None:
            assert 0 <= measure.low <= measure.high <= 100


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_utterances_does_not_matter_to_counts(
    rows: list[tuple[str, str, str, float]], random: object
) -> None:
    given_table = doubtful(rows)
    shuffled = given_table.sample(frac=1, random_state=random.randrange(1000))  # type: ignore[attr-defined]
    before, after = (session_measures(frame, draws=200).counts for frame in (given_table, shuffled))
    assert {code: measure.value for code, measure in before.items()} == {
        code: measure.value for code, measure in after.items()
    }


def test_the_table_is_not_changed_and_the_same_call_gives_the_same() -> None:
    rows = coded()
    before = rows.copy(deep=True)
    assert session_measures(rows) == session_measures(rows)
    pd.testing.assert_frame_equal(rows, before)


def test_measures_need_nothing_but_numpy_and_pandas() -> None:
    code = (
        "import sys, pipeline.measures.session.measures, pipeline.measures.session.context\n"
        "import pipeline.measures.session.readiness\n"
        "import pipeline.measures.session.strengths, pipeline.measures.session.uncertain_tags\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}"
        " & {'torch', 'sklearn', 'scipy', 'soundfile', 'av', 'spacy', 'jinja2', 'onnxruntime', 'pydantic'}))\n"
        "print(sorted(name for name in sys.modules if name.startswith('pipeline.coding')))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split("\n")[:2] == ["[]", "[]"]


def test_utterances_are_the_plain_rule() -> None:
    assert session_measures(coded()).rule == BY_UTTERANCE


CODEBOOKS = [BY_UTTERANCE, BY_VOLLEY, *(codebook_files.read(name).rule() for name in codebook_files.shipped())]


@pytest.mark.parametrize("rule", CODEBOOKS)
def test_a_tape_that_is_cut_at_a_pause_counts_in_its_parts_what_it_counts_as_a_whole(rule: CountingRule) -> None:
    """Between turns of the invented session; each interviewer's turn is a volley, so that none is cut."""
    rows = coded()
    rows["volley"] = (rows["role"] != rows["role"].shift()).cumsum().where(rows["role"] == "interviewer")
    cuts = [at for at in range(1, len(rows)) if rows["turn_id"].iloc[at] != rows["turn_id"].iloc[at - 1]]
    whole = session_measures(rows, rule, draws=50)
    for cut in cuts[::7]:
        parts = [session_measures(part, rule, draws=50) for part in (rows.iloc[:cut], rows.iloc[cut:])]
        for name, measure in whole.ratios.items():
            assert measure.numerator == sum(part.ratios[name].numerator for part in parts)
            assert (measure.denominator or 0) == sum(part.ratios[name].denominator or 0 for part in parts)
        for name, measure in (whole.client | whole.oars).items():
            halves = [(part.client | part.oars)[name].value for part in parts]
            assert measure.value == (None if None in halves else sum(halves))


@pytest.mark.parametrize("rule", CODEBOOKS)
def test_a_tape_without_codes_has_no_ratio_and_counts_nothing(rule: CountingRule) -> None:
    measures = session_measures(coded().assign(codes="", volley=range(60)), rule, draws=50)
    assert {measure.value for measure in measures.ratios.values()} == {None}
    assert all(measure.undefined for measure in measures.ratios.values())
    assert {measure.value for measure in measures.counts.values()} == {0}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("question_open", (0, 0, None, 100, None)),
        ("question_closed", (0, None, None, 0, None)),
        ("reflection_complex", (None, None, 100, None, None)),
        ("reflection_simple", (None, None, 0, None, None)),
        ("change", (None, None, None, None, 100)),
        ("sustain", (None, None, None, None, 0)),
    ],
)
@pytest.mark.parametrize("rule", [BY_UTTERANCE, BY_VOLLEY])
def test_a_tape_coded_alike_throughout_has_the_plain_shares(
    code: str, expected: tuple[float | None, ...], rule: CountingRule
) -> None:
    measures = session_measures(coded().assign(codes=code, probability=1.0, volley=range(60)), rule, draws=50)
    assert tuple(measure.value for measure in measures.ratios.values()) == expected


def test_speech_in_another_language_is_in_no_figure_until_somebody_codes_it() -> None:
    rows = table(("I", "question_open"), ("C", ""), ("I", "reflection_simple"), ("C", "change"))
    rows = rows.assign(language=["en", "es", "en", "en"], text="one two three")
    measured = session_measures(rows)
    assert measured.ratios["reflections_per_question"].value == 1.0
    assert measured.counts["change"].value == 1
    assert len(readiness_line(rows).points) == 1
    by_hand = rows.assign(codes=["question_open", "change", "reflection_simple", "change"])
    assert session_measures(by_hand).counts["change"].value == 2
    assert len(readiness_line(by_hand).points) == 2


def test_a_tape_in_another_language_has_no_figures_and_no_zeros() -> None:
    rows = table(("I", ""), ("C", ""), ("I", "other")).assign(
        language=["es", "es", "en"], text=["a " * 50, "b " * 50, "Ok"]
    )
    rows = rows.drop(columns=[column for column in ("start", "end") if column in rows])
    measured = session_measures(rows)
    figures = [*measured.ratios.values(), *measured.counts.values(), *measured.oars.values(), *measured.client.values()]
    assert {(figure.value, figure.numerator, figure.undefined) for figure in figures} == {
        (None, 0, "the speech is Spanish, and not coded")
    }
    assert readiness_line(rows).undefined == "the speech is Spanish, and not coded"
