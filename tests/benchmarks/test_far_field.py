"""How errors of speakers are counted, and how a candidate is chosen by clips that it is not measured on."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyannote.core import Annotation, Segment

from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.timeline import Span
from tests.benchmarks.far_field import CANDIDATES, PRESENT, Clip, Errors, clips, count, held_out, later, pooled


def errors(missed: float, speech: float = 10.0) -> Errors:
    return Errors(speech, missed, 0.0, 0.0)


def test_missed_added_and_confused_speech_is_counted_by_itself() -> None:
    voices = Annotation()
    voices[Segment(0, 4), 0] = "A"
    voices[Segment(3, 8), 1] = "B"  # the second of both counts twice: 9 s of speech
    segments = (SpeakerSegment(Span(0, 5000), "S1"), SpeakerSegment(Span(5000, 9000), "S2"))
    diarization = Diarization(segments, segments, (), {})
    talk = count(Clip("talk", Path("talk.wav"), voices, 10.0), diarization)
    # S1 is A: right for 4 s of its 5, and B for the other; one of the two voices at 3 s is missed; S2 goes on for 1 s
    assert (talk.speech, talk.missed, talk.false_alarm, talk.confused) == pytest.approx((9.0, 1.0, 1.0, 1.0))
    assert talk.rate == pytest.approx(3 / 9)
    # A: 1 of 5 s; B: 5 s, of which 3 are found, 1 s more: 3 of 6 s
    assert talk.jaccard == pytest.approx((1 / 5 + 3 / 6) / 2)


def test_clips_count_by_their_speech() -> None:
    assert pooled([errors(1.0, 1.0), errors(1.0, 19.0)]).rate == pytest.approx(0.1)


def test_a_candidate_is_chosen_by_all_other_clips() -> None:
    present = {"a": errors(3.0), "b": errors(3.0), "c": errors(3.0)}
    lucky = {"a": errors(0.0), "b": errors(4.0), "c": errors(4.0)}  # best by far on one clip, and all in all
    results = {"as it is": present, "lucky": lucky}
    assert [(row.clip, row.candidate, row.rate, row.present) for row in held_out(results, "as it is")] == [
        ("a", "as it is", pytest.approx(0.3), pytest.approx(0.3)),  # which has no say here,
        ("b", "lucky", pytest.approx(0.4), pytest.approx(0.3)),  # but misleads elsewhere
        ("c", "lucky", pytest.approx(0.4), pytest.approx(0.3)),
    ]


def test_of_equal_candidates_the_first_is_chosen() -> None:
    same = {"a": errors(1.0), "b": errors(1.0)}
    assert {row.candidate for row in held_out({"as it is": same, "other": same}, "as it is")} == {"as it is"}


def test_the_program_as_it_is_comes_first() -> None:
    assert CANDIDATES[0] is PRESENT
    assert PRESENT.settings == {}
    assert PRESENT.modules == {}
    assert len({candidate.name for candidate in CANDIDATES}) == len(CANDIDATES)


def test_sounds_without_truth_are_no_clips(tmp_path: Path) -> None:
    import numpy as np
    import soundfile

    for name in ("room", "corridor"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(16_000), 16_000)
    (tmp_path / "truth.rttm").write_text("SPEAKER room 1 0.200 0.500 <NA> <NA> A <NA> <NA>\n", encoding="utf-8")
    (clip,) = clips(tmp_path)
    assert (clip.name, clip.duration, clip.voices.labels()) == ("room", 1.0, ["A"])


def test_a_clip_that_begins_later_has_the_rest_of_its_speech() -> None:
    voices = Annotation()
    voices[Segment(0, 1), 0] = "A"
    voices[Segment(0.5, 3), 1] = "B"
    rest = later(Clip("talk", Path("talk.wav"), voices, 10.0), 1.0)
    assert rest.duration == 9.0
    assert [(segment.start, segment.end, voice) for segment, _, voice in rest.voices.itertracks(True)] == [(0, 2, "B")]
