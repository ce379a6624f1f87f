import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference.classifier import DECISIONS, OUTPUTS
from pipeline.coding.inference.context_windows import SIZE, Reader
from pipeline.coding.training import augmentation
from pipeline.coding.training.augmentation import Lesson, sentences
from tests.coding.invented import write_encoder

NAN = float("nan")


def lesson(text: str, **answers: float) -> Lesson:
    answered = np.array([answers.get(decision, NAN) for decision in DECISIONS])
    return Lesson(text, answered, 0, 0, np.ones(OUTPUTS))


def answer(part: Lesson, decision: str) -> float:
    return float(part.answers[DECISIONS.index(decision)])


def test_the_question_of_a_turn_is_where_its_mark_is() -> None:
    turn = lesson("You like it. How come?", question=1, open=1, reflection=1, complex=0, information=0)
    first, second = sentences(turn)
    assert (first.text, second.text) == ("You like it.", "How come?")
    assert (answer(first, "question"), answer(second, "question")) == (0, 1)
    assert np.isnan(answer(first, "open"))
    assert answer(second, "open") == 1
    assert answer(first, "reflection") == 1  # of two sentences the one that does not ask
    assert np.isnan(answer(second, "reflection"))
    assert answer(first, "information") == answer(second, "information") == 0
    assert first.main == second.main == -1


def test_what_nobody_said_of_a_sentence_is_not_learned() -> None:
    parts = sentences(lesson("I see. You are tired. That is hard.", question=0, reflection=1, complex=1, information=0))
    assert len(parts) == 3
    assert all(np.isnan(answer(part, "reflection")) and np.isnan(answer(part, "complex")) for part in parts)
    unmarked = sentences(lesson("Tell me more. Go on.", question=1, open=1, reflection=0, information=0))
    assert all(np.isnan(answer(part, "question")) for part in unmarked)
    assert all(answer(part, "reflection") == 0 for part in unmarked)


def test_a_single_sentence_stays_whole() -> None:
    one = lesson("You are tired.", reflection=1)
    assert sentences(one) == [one]


def test_a_teacher_heard_the_turn_not_its_sentences() -> None:
    (whole,) = sentences(lesson("You are tired.", reflection=1))
    assert (whole.taught == 1).all()
    assert all(np.isnan(part.taught).all() for part in sentences(lesson("I see. You are tired.", reflection=1)))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader((write_encoder(tmp_path_factory.mktemp("encoder") / "tiny") / "tokenizer.json").read_text())


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


def test_windows_hold_every_lesson_and_part_elsewhere_each_time(reader: Reader) -> None:
    given = table(100)
    cuts = []
    for seed in range(20):
        found = list(augmentation.spoiled(given, reader, np.random.default_rng(seed)))
        assert all(len(opening) + sum(len(own) for own, _ in said) <= SIZE for opening, said in found)
        held = [lesson.text for _, said in found for _, lesson in said]
        assert " ".join(held) == " ".join(given["text"])
        cuts.append(len(found[0][1]))
    assert len(set(cuts)) > 5


def test_slips_and_lost_marks_come_at_random(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmentation, "PARTED", 0.0)
    whole = set(reader.utterance("client", table(1)["text"].iloc[0]))
    marks = set(reader.utterance("client", "?")) & whole
    seen, changed = [], 0
    for seed in range(30):
        for _, said in augmentation.spoiled(table(20), reader, np.random.default_rng(seed)):
            seen.append(any(marks - {reader.end} <= set(own) for own, _ in said))
            changed += sum(not set(own) <= whole for own, _ in said)
    assert 0.3 < np.mean(seen) < 0.9
    assert changed > 0
