import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference.classifier import DECISIONS, NETWORK_OUTPUTS
from pipeline.coding.inference.context_windows import WINDOW_PIECES, WindowTokenizer
from pipeline.coding.training import augmentation
from pipeline.coding.training.augmentation import Example, split_sentences
from tests.coding.invented import write_encoder

NAN = float("nan")


def example(text: str, **answers: float) -> Example:
    labels = np.array([answers.get(decision, NAN) for decision in DECISIONS])
    return Example(text, labels, 0, 0, np.ones(NETWORK_OUTPUTS))


def answer(part: Example, decision: str) -> float:
    return float(part.answers[DECISIONS.index(decision)])


def test_the_question_of_a_turn_is_where_its_mark_is() -> None:
    turn = example("You like it. How come?", question=1, open=1, reflection=1, complex=0, information=0)
    first, second = split_sentences(turn)
    assert (first.text, second.text) == ("You like it.", "How come?")
    assert (answer(first, "question"), answer(second, "question")) == (0, 1)
    assert np.isnan(answer(first, "open"))
    assert answer(second, "open") == 1
    assert answer(first, "reflection") == 1  # of two sentences the one that does not ask
    assert np.isnan(answer(second, "reflection"))
    assert answer(first, "information") == answer(second, "information") == 0
    assert first.main == second.main == -1


def test_what_is_unknown_of_a_sentence_is_not_trained_on() -> None:
    parts = split_sentences(
        example("I see. You are tired. That is hard.", question=0, reflection=1, complex=1, information=0)
    )
    assert len(parts) == 3
    assert all(np.isnan(answer(part, "reflection")) and np.isnan(answer(part, "complex")) for part in parts)
    unmarked = split_sentences(example("Tell me more. Go on.", question=1, open=1, reflection=0, information=0))
    assert all(np.isnan(answer(part, "question")) for part in unmarked)
    assert all(answer(part, "reflection") == 0 for part in unmarked)


def test_a_single_sentence_stays_whole() -> None:
    sentence = example("You are tired.", reflection=1)
    assert split_sentences(sentence) == [sentence]


def test_soft_labels_are_of_the_turn_not_of_its_sentences() -> None:
    (whole,) = split_sentences(example("You are tired.", reflection=1))
    assert (whole.soft_labels == 1).all()
    assert all(
        np.isnan(part.soft_labels).all() for part in split_sentences(example("I see. You are tired.", reflection=1))
    )


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> WindowTokenizer:
    return WindowTokenizer((write_encoder(tmp_path_factory.mktemp("encoder") / "tiny") / "tokenizer.json").read_text())


def table(rows: int) -> pd.DataFrame:
    shape = pd.DataFrame(
        {
            "tape_id": ["a"] * rows,
            "role": ["client" if number % 2 else "interviewer" for number in range(rows)],
            "text": "Yeah, I want more of it. Is that right?",
            "target_behavior": "walking more",
            "main": "",
            "annotator": 0,
        }
    )
    return shape.assign(**dict.fromkeys(DECISIONS, 0.0))


def test_windows_hold_every_example_and_end_elsewhere_each_time(tokenizer: WindowTokenizer) -> None:
    session = table(100)
    cuts = []
    for seed in range(20):
        windows = list(augmentation.augmented_windows(session, tokenizer, np.random.default_rng(seed)))
        assert all(
            len(opening) + sum(len(pieces) for pieces, _ in utterances) <= WINDOW_PIECES
            for opening, utterances in windows
        )
        texts = [each.text for _, utterances in windows for _, each in utterances]
        assert " ".join(texts) == " ".join(session["text"])
        cuts.append(len(windows[0][1]))
    assert len(set(cuts)) > 5


def test_word_noise_and_missing_punctuation_come_at_random(
    tokenizer: WindowTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(augmentation, "SENTENCE_SHARE", 0.0)
    whole = set(tokenizer.utterance("client", table(1)["text"].iloc[0]))
    marks = set(tokenizer.utterance("client", "?")) & whole
    seen, changed = [], 0
    for seed in range(30):
        for _, utterances in augmentation.augmented_windows(table(20), tokenizer, np.random.default_rng(seed)):
            seen.append(any(marks - {tokenizer.end} <= set(pieces) for pieces, _ in utterances))
            changed += sum(not set(pieces) <= whole for pieces, _ in utterances)
    assert 0.3 < np.mean(seen) < 0.9
    assert changed > 0
