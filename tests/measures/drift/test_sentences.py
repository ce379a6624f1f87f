from __future__ import annotations

from pipeline.measures.drift.sentences import code_phrase, drift_sentence


def test_sentences() -> None:
    sentence = drift_sentence(
        "ann", "coach", ("change", "(not coded)"), (1, 0), ("change", 0.5), {"change": "Change talk"}, 1
    )
    assert sentence == (
        "ann codes 0.5 times as much change talk as the coach. On the last tape, 1 utterance that is change talk to "
        "the coach is nothing of the kind to ann; 0 the other way around."
    )
    never = drift_sentence("ann", "coach", ("(not coded)", "advice"), (7, 0), ("advice", None), {}, 6)
    assert never.startswith("ann codes advice where the coach codes none.")
    assert code_phrase("question_open|reflection_simple", {}) == "open question and simple reflection"
    assert code_phrase("x", {"x": "Simple reflection (SR)"}) == "simple reflection"
