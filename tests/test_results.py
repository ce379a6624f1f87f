"""What of the machine's codes a codebook counts."""

from pipeline.formats import codebooks
from pipeline.results import counting_rule


def test_codebook_of_the_pre_tags_counts_utterances_under_their_own_names() -> None:
    rule = counting_rule(codebooks.read("pretags"))
    assert rule.unit == "utterance"
    assert rule.questions == ("question_open", "question_closed")
    assert set(rule.reflections) == {"reflection_simple", "reflection_complex"}


def test_miti_counts_the_same_pre_tags_once_a_volley() -> None:
    rule = counting_rule(codebooks.read("miti-4.2"))
    assert rule.unit == "volley"
    assert set(rule.questions) == {"question_open", "question_closed"}
    assert set(rule.reflections) == {"reflection_simple", "reflection_complex"}


def test_oars_counts_open_questions_alone() -> None:
    assert counting_rule(codebooks.read("oars")).questions == ("question_open",)
