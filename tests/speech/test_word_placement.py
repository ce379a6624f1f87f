"""The times of a written transcript's words, from the same words as they were recognized."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.speech.word_placement import LEAST_OUTSIDE, place_words
from pipeline.timeline import Span, Word


def recognized(*words: tuple[int, int, str]) -> list[Word]:
    return [Word(Span(start, end), text, 0.9) for start, end, text in words]


def test_recognized_words_have_the_times_of_the_sound() -> None:
    placement = place_words(
        ["So,", "what", "would", "you", "LIKE?"],
        recognized((100, 200, "so"), (300, 500, "What"), (900, 1000, "like")),
        2000,
    )
    assert placement.spans == (Span(100, 200), Span(300, 500), Span(500, 700), Span(700, 900), Span(900, 1000))
    assert placement.recognized == (True, True, False, False, True)
    assert (placement.before, placement.after, placement.missing) == (0, 0, ())


def test_a_word_that_was_recognized_as_another_has_its_time() -> None:
    placement = place_words(
        ["I", "feel", "torn"], recognized((0, 100, "I"), (400, 600, "fell"), (700, 900, "torn")), 1000
    )
    assert placement.spans[1] == Span(400, 600)


def test_unrecognized_words_stand_in_speech_without_words() -> None:
    """ "mm-hm" in a pause of ten seconds stands where somebody hums, not in the middle of the pause."""
    sound = recognized((0, 500, "drink"), (10_500, 11_000, "less"))
    assert place_words(["drink", "mm-hm", "less"], sound, 12_000, [Span(1000, 1400)]).spans[1] == Span(1000, 1400)
    assert place_words(["drink", "mm-hm", "less"], sound, 12_000).spans[1] == Span(5200, 5800)


def test_words_at_the_ends_stand_beside_their_only_neighbor() -> None:
    placement = place_words(
        ["well", "I", "walk", "more", "now"],
        recognized((3000, 3100, "I"), (3200, 3400, "walk"), (3500, 3900, "more")),
        9000,
    )
    assert placement.spans[0] == Span(2400, 3000)
    assert placement.spans[-1] == Span(3900, 4500)


def test_a_transcript_of_the_whole_session_keeps_to_the_part() -> None:
    """Thirty words in front of a part that begins at once, and thirty behind: nobody says them in no time."""
    outside = [f"w{number}" for number in range(30)]
    part = ["I", "would", "like", "to", "drink", "a", "little", "less"]
    sound = recognized(*((400 * at, 400 * at + 300, word) for at, word in enumerate(part)))
    placement = place_words([*outside, *part, *outside], sound, 400 * len(part))
    assert (placement.before, placement.after) == (30, 30)
    assert [placement.spans[at] for at in placement.inside] == [word.span for word in sound]


def test_a_few_words_that_do_not_fit_are_squeezed_in() -> None:
    placement = place_words(["oh", "well", "drink", "less"], recognized((0, 300, "drink"), (300, 600, "less")), 600)
    assert (placement.before, placement.spans[:2]) == (0, (Span(0, 0), Span(0, 0)))


def test_what_the_transcript_lacks_is_reported() -> None:
    sound = recognized(
        (0, 100, "I"),
        (100, 200, "drink"),
        *((1000 * at, 1000 * at + 500, "so") for at in range(1, 7)),
        (9000, 9100, "less"),
        (9200, 9300, "now"),
    )
    assert place_words(["I", "drink", "less", "now"], sound, 10_000).missing == ((Span(1000, 6500), 6),)


WORDS = st.sampled_from(["I", "drink", "less", "okay", "...", "and"])


@given(st.lists(WORDS, max_size=40), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 900), WORDS), max_size=40))
def test_no_word_is_lost_none_invented_and_order_is_kept(
    written: list[str], spoken: list[tuple[int, int, str]]
) -> None:
    sound = sorted(
        recognized(*((start, start + length, word) for start, length, word in spoken)), key=lambda word: word.span.start
    )
    placement = place_words(written, sound, 6000)
    assert len(placement.spans) == len(placement.recognized) == len(written)
    starts = [span.start for span in placement.spans]
    assert starts == sorted(starts)
    known_words = {(word.text, word.span) for word in sound}
    assert all(
        (text, span) in known_words
        for text, span, known in zip(written, placement.spans, placement.recognized, strict=True)
        if known
    )
    assert placement.before == 0 or placement.before >= LEAST_OUTSIDE
    assert not any(placement.recognized[: placement.before])
    assert not any(placement.recognized[len(written) - placement.after :])
