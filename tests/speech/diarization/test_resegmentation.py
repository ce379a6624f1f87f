import numpy as np
import pytest

from pipeline.speech.diarization import resegmentation
from pipeline.timeline import Span
from tests.speech.diarization.samples import segments

CENTERS = {"a": np.array([1.0, 0.0]), "b": np.array([0.0, 2.0])}


def embedder(truth, requested=None):
    """Embeds each window as both voices in the shares in which they speak there."""

    def embed_windows(starts):
        if requested is not None:
            requested.extend(starts)
        windows = [Span(start, start + resegmentation.WINDOW) for start in starts]
        shares = [
            {name: sum(window.overlap(segment.span) for segment in truth if segment.speaker == name) for name in "ab"}
            for window in windows
        ]
        return np.array([[share["a"], share["b"]] for share in shares], float)

    return embed_windows


def test_a_turn_that_the_segmentation_missed_is_detected():
    truth = segments((0, 4000, "a"), (4000, 7000, "b"), (7000, 12_000, "a"))
    (stretch,) = resegmentation.reassignments(segments((0, 12_000, "a")), embedder(truth), CENTERS)
    assert stretch.speaker == "b"
    assert abs(stretch.span.start - 4000) <= resegmentation.STEP
    assert abs(stretch.span.end - 7000) <= resegmentation.STEP


def test_windows_never_reach_beyond_a_stretch_nor_into_overlap():
    detected = segments((1000, 5000, "a"), (4000, 4700, "b"), (6000, 6700, "a"))
    requested: list[int] = []
    resegmentation.reassignments(detected, embedder(detected, requested), CENTERS)
    assert (min(requested), max(requested)) == (
        1000,
        3250,
    )  # 4000 - 750; what is left after 4700, and the last voice, are too short


def test_a_wrongly_named_stretch_changes_as_a_whole():
    truth = segments((0, 900, "b"))
    assert resegmentation.reassignments(segments((0, 900, "a")), embedder(truth), CENTERS) == segments((0, 900, "b"))


def test_what_sounds_like_neither_stays():
    assert (
        resegmentation.reassignments(segments((0, 9000, "b")), lambda starts: np.ones((len(starts), 2)), CENTERS) == ()
    )


def test_a_speaker_without_a_center_stays():
    assert resegmentation.reassignments(segments((0, 9000, "c")), embedder(()), CENTERS) == ()
    assert resegmentation.reassignments(segments((0, 9000, "c")), embedder(()), {}) == ()


def test_single_speaker_is_where_exactly_one_speaks():
    detected = segments((0, 3000, "a"), (2000, 5000, "b"), (5000, 6000, "a"), (8000, 9000, "b"))
    assert resegmentation.single_speaker(detected) == segments(
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
    assert resegmentation.reassign(segments((0, 5000, "a"), (3000, 6000, "b")), segments(*changed)) == segments(
        *expected
    )


def test_cosine_of_two_embeddings():
    assert resegmentation.cosine(np.array([3.0, 4.0]), np.array([8.0, 6.0])) == pytest.approx(0.96)  # 48 / 50
