import numpy as np
import pytest

from pipeline.speech.diarization import resegmentation
from pipeline.speech.diarization.contract import Voice
from pipeline.timeline import Span

CENTERS = {"a": np.array([1.0, 0.0]), "b": np.array([0.0, 2.0])}


def voices(*rows: tuple[int, int, str]) -> tuple[Voice, ...]:
    return tuple(Voice(Span(start, end), speaker) for start, end, speaker in rows)


def listener(truth, asked=None):
    """Hears in each window both voices in the shares in which they speak there."""

    def listen(starts):
        if asked is not None:
            asked.extend(starts)
        windows = [Span(start, start + resegmentation.WINDOW) for start in starts]
        shares = [
            {name: sum(window.overlap(v.span) for v in truth if v.speaker == name) for name in "ab"}
            for window in windows
        ]
        return np.array([[share["a"], share["b"]] for share in shares], float)

    return listen


def test_a_turn_that_the_first_look_missed_is_found():
    truth = voices((0, 4000, "a"), (4000, 7000, "b"), (7000, 12_000, "a"))
    (found,) = resegmentation.changes(voices((0, 12_000, "a")), listener(truth), CENTERS)
    assert found.speaker == "b"
    assert abs(found.span.start - 4000) <= resegmentation.STEP
    assert abs(found.span.end - 7000) <= resegmentation.STEP


def test_windows_never_reach_beyond_a_stretch_nor_into_overlap():
    heard = voices((1000, 5000, "a"), (4000, 4700, "b"), (6000, 6700, "a"))
    asked: list[int] = []
    resegmentation.changes(heard, listener(heard, asked), CENTERS)
    assert (min(asked), max(asked)) == (
        1000,
        3250,
    )  # 4000 - 750; what is left after 4700, and the last voice, are too short


def test_a_wrongly_named_stretch_changes_as_a_whole():
    truth = voices((0, 900, "b"))
    assert resegmentation.changes(voices((0, 900, "a")), listener(truth), CENTERS) == voices((0, 900, "b"))


def test_what_sounds_like_neither_stays():
    assert resegmentation.changes(voices((0, 9000, "b")), lambda starts: np.ones((len(starts), 2)), CENTERS) == ()


def test_a_speaker_without_a_center_stays():
    assert resegmentation.changes(voices((0, 9000, "c")), listener(()), CENTERS) == ()
    assert resegmentation.changes(voices((0, 9000, "c")), listener(()), {}) == ()


def test_alone_is_where_exactly_one_speaks():
    heard = voices((0, 3000, "a"), (2000, 5000, "b"), (5000, 6000, "a"), (8000, 9000, "b"))
    assert resegmentation.alone(heard) == voices(
        (0, 2000, "a"), (3000, 5000, "b"), (5000, 6000, "a"), (8000, 9000, "b")
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ([], [(0, 5000, "a"), (3000, 6000, "b")]),
        ([(1000, 2000, "b")], [(0, 1000, "a"), (1000, 2000, "b"), (2000, 5000, "a"), (3000, 6000, "b")]),
        ([(0, 500, "b")], [(0, 500, "b"), (500, 5000, "a"), (3000, 6000, "b")]),
        ([(5000, 6000, "a")], [(0, 5000, "a"), (3000, 5000, "b"), (5000, 6000, "a")]),
        ([(0, 500, "b"), (500, 900, "b")], [(0, 500, "b"), (500, 900, "b"), (900, 5000, "a"), (3000, 6000, "b")]),
    ],
)
def test_a_change_takes_speech_from_one_and_gives_it_to_the_other(changed, expected):
    assert resegmentation.moved(voices((0, 5000, "a"), (3000, 6000, "b")), voices(*changed)) == voices(*expected)


def test_likeness_is_the_cosine():
    assert resegmentation.likeness(np.array([3.0, 4.0]), np.array([8.0, 6.0])) == pytest.approx(0.96)  # 48 / 50
