"""A written transcript that comes with the recording: its words with the times and speakers of the sound.

The text, its order and (where it names them) its speakers are the transcript's; times come from the words that were
recognized, and words that nobody is named for get the speaker that the diarizer detected. Names stay outside: a tape's
speakers are called ``S1``, ``S2`` as the diarizer calls those that speak at the same times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from pipeline.errors import SpeechError
from pipeline.formats.written_transcript import WrittenTranscript
from pipeline.languages import ENGLISH
from pipeline.lexicon import is_backchannel, plain
from pipeline.speech import turns, word_placement
from pipeline.speech.diarization.contract import Diarization
from pipeline.speech.roles import Roles
from pipeline.speech.transcriber import Transcript
from pipeline.speech.word_placement import Placement
from pipeline.timeline import UNKNOWN, Word, clock

LEAST_FIT = 0.2
"""Two sessions share a tenth of their words by chance; of a session that is recognized badly, they share a third."""

_SHOWN = 5  # times that a message names


@dataclass(frozen=True)
class PlacedTranscript:
    """The words with speaker and time, in the transcript's order; roles where it settles them; notes for the user.

    ``first_words``: where the transcript has utterances already, the words at which these begin.
    """

    words: tuple[Word, ...]
    roles: Roles | None
    notes: tuple[str, ...]
    first_words: frozenset[Word] | None = None


def placed(
    written: WrittenTranscript,
    recognized: Transcript,
    diarization: Diarization,
    duration: int,
    languages: Sequence[str] | None = None,
) -> PlacedTranscript:
    """Bring a written transcript to a recording of so many milliseconds; ``languages`` are those of its words,
    English where they are not given.

    Raises
    ------
    SpeechError: P04 too little of it was recognized in the sound.
    """
    tokens = [(turn.voice, word) for turn in written.turns for word in turn.text.split()]
    placement = word_placement.place_words(
        [word for _, word in tokens], recognized.words, duration, recognized.vocalizations
    )
    _require_fit(tokens, recognized, placement)
    inside = placement.inside
    bare = [
        Word(
            *(placement.spans[at], tokens[at][1], float(placement.recognized[at])),
            language=languages[at] if languages else ENGLISH,
        )
        for at in inside
    ]
    speakers = [word.speaker for word in turns.attribute(bare, diarization)]
    names = speaker_names(
        [tokens[at][0] for at in inside], speakers, {segment.speaker for segment in diarization.segments}
    )
    words = tuple(
        word.by(names[voice] if voice else speaker)
        for word, speaker, voice in zip(bare, speakers, (tokens[at][0] for at in inside), strict=True)
    )
    first_words = None
    if written.has_utterances:
        begin = written.first_words()
        first_words = frozenset(word for at, word in zip(inside, words, strict=True) if at in begin)
    return PlacedTranscript(words, roles(written, names), notes(written, placement), first_words)


def speaker_names(voices: Sequence[str], detected: Sequence[str], known: set[str]) -> dict[str, str]:
    """Map each voice of a transcript to its speaker on the tape: the one that speaks at the same times, none twice.

    Parameters
    ----------
    voices, detected: for each word the voice that the transcript names (or "") and the speaker that was detected.
    known: all speakers that were detected; voices beyond them get further numbers.
    """
    shared = Counter((voice, speaker) for voice, speaker in zip(voices, detected, strict=True) if voice)
    names: dict[str, str] = {}
    for (voice, speaker), _ in shared.most_common():
        if speaker != UNKNOWN and voice not in names and speaker not in names.values():
            names[voice] = speaker
    taken = known | set(names.values())
    further = (name for number in count(1) if (name := f"S{number}") not in taken)
    for voice in dict.fromkeys(voices):
        if voice and voice not in names:
            names[voice] = next(further)
    return names


def roles(written: WrittenTranscript, names: Mapping[str, str]) -> Roles | None:
    """The roles that a transcript settles, by speaker of the tape; None where they are to be decided."""
    known = {names[voice]: role for voice, role in written.voices.items() if voice in names}
    if not written.is_settled or "interviewer" not in known.values():
        return None
    settled = {speaker: role for speaker, role in known.items() if role is not None}
    return Roles.named(settled, "named in the transcript")


def notes(written: WrittenTranscript, placement: Placement) -> tuple[str, ...]:
    """Warnings, in sentences: what of the transcript was not recognized, and the other way around."""
    inside = placement.inside
    guessed = sum(not placement.recognized[at] for at in inside)
    sentences = [
        f"the words are those of the transcript that came with the recording; {len(inside) - guessed} of its "
        f"{len(inside)} words here were recognized in the sound and have its times, the other {guessed} stand between "
        "their neighbors"
    ]
    for number, end in ((placement.before, "beginning"), (placement.after, "end")):
        if number:
            sentences.append(
                f"{number} words at the {end} of the transcript were not found in this part of the recording, and are "
                "left out"
            )
    silent = _unrecognized_turns(written, placement)
    if silent:
        sentences.append(f"no word was recognized of what the transcript has at {_listed(silent)}: listen there")
    if placement.missing:
        number = sum(words for _, words in placement.missing)
        starts = [span.start for span, _ in placement.missing]
        sentences.append(f"{number} recognized words are not in the transcript, at {_listed(starts)}: listen there")
    return tuple(sentences)


def _require_fit(tokens: Sequence[tuple[str, str]], recognized: Transcript, placement: Placement) -> None:
    number, least = sum(placement.recognized), min(len(tokens), len(recognized.words))
    if number < LEAST_FIT * least:
        value = f"does not fit the recording: {number} of its {len(tokens)} words were recognized there"
        remedy = "give the transcript of this session and this part of it, or leave it out"
        raise SpeechError("P04", "transcript", value, remedy)


def _unrecognized_turns(written: WrittenTranscript, placement: Placement) -> list[int]:
    """Start times of turns of which no word was recognized; backchannels, which are often missed, aside."""
    starts, begin = [], 0
    for turn in written.turns:
        words = turn.text.split()
        indices = [at for at in range(begin, begin + len(words)) if at in placement.inside]
        begin += len(words)
        spoken = [word for word in words if plain(word)]
        if indices and spoken and not is_backchannel(spoken) and not any(placement.recognized[at] for at in indices):
            starts.append(placement.spans[indices[0]].start)
    return starts


def _listed(times: Sequence[int]) -> str:
    shown = ", ".join(clock(time) for time in times[:_SHOWN])
    return f"{shown} and {len(times) - _SHOWN} more" if len(times) > _SHOWN else shown
