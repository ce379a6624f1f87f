"""Whisper through faster-whisper: chunks of sound in, hypotheses and timed words out.

`WhisperModel.transcribe` decides alone what to decode and drops what it encoded. We call its parts instead: each chunk
is encoded once (a third of the work), decoded as often as we like, and only the text that is kept gets word
times.
"""

from __future__ import annotations

import os
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.errors import ModelError
from pipeline.languages import ENGLISH, is_spaced
from pipeline.settings import EnginesSettings
from pipeline.speech.chunking import PER_MS, Samples
from pipeline.speech.decoding import DecodingOptions, Hypothesis
from pipeline.timeline import Span, Word, to_ms

_FILES = ("model.bin", "config.json", "tokenizer.json")
"""Without its own tokenizer.json, faster-whisper would ask a hub for one."""

_OPENING = frozenset("\"'“‘¿¡([{")
"""Punctuation that belongs to the word after it; all other belongs to the word before."""


_LEAST_FRAMES, _FRAME_STEP = 50, 25
"""Frames of 20 ms in which a language is detected, at least, and the steps of their number."""


class Engine(Protocol):
    """The recognizer of a transcriber; all calls may come from several threads at once."""

    def encode(self, sounds: Sequence[Samples]) -> Any:
        """Encode several chunks, each (n,) float32 at 16 kHz and at most 30 s, for the other two calls."""

    def select(self, encoded: Any, chunks: Sequence[int]) -> Any:
        """Return what was encoded of some chunks alone, by their numbers."""

    def languages(self, encoded: Any, stretches: Sequence[Sequence[Span]]) -> list[list[Mapping[str, float]]]:
        """Return for each stretch of each chunk, in the chunk's own time, language -> its probability."""

    def language_at_a_glance(self, sound: Samples) -> Mapping[str, float]:
        """Return language -> its probability of one chunk: less exact than `languages`, and a tenth of the work."""

    def decode(self, encoded: Any, options: DecodingOptions) -> list[Hypothesis]:
        """Return the text of each chunk, decoded with the same options."""

    def align(self, encoded: Any, hypotheses: Sequence[Hypothesis]) -> list[tuple[Word, ...]]:
        """Return the words of each chunk's text, with times within the chunk."""

    @property
    def multilingual(self) -> bool:
        """Whether it can detect and transcribe other languages than English."""

    @property
    def version(self) -> dict[str, str]:
        """Names and versions of the recognizer's packages."""


class Whisper:
    """A Whisper model in CTranslate2 form, from a folder or, where the user chose so, a hub.

    Raises
    ------
    ModelError: M07 the folder lacks a file, or the model cannot be loaded on this device.
    """

    def __init__(self, location: Path | str, compute: str, workers: int, engines: EnginesSettings) -> None:
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        if isinstance(location, Path):
            for name in _FILES:
                if not (location / name).is_file():
                    remedy = "name a folder with a whole faster-whisper model"
                    raise ModelError("M07", f"model {location}", f"lacks {name}", remedy)
        try:
            self._model = WhisperModel(
                str(location),
                device=engines.device,
                compute_type=compute,
                cpu_threads=1,
                num_workers=workers,
                local_files_only=os.environ.get("HF_HUB_OFFLINE") != "0",
            )
        except (RuntimeError, ValueError, OSError) as error:
            remedy = "check transcription.model, transcription.compute and engines.device in the settings"
            raise ModelError("M07", f"model {location}", f"cannot be loaded ({error})", remedy) from error
        self.multilingual: bool = self._model.model.is_multilingual
        self._tokenizer_of = cache(
            lambda language: Tokenizer(
                self._model.hf_tokenizer, self.multilingual, task="transcribe", language=language
            )
        )
        self._tokenizer: Tokenizer = self._tokenizer_of(ENGLISH)
        # -1: brackets, notes and other signs for sounds that are not speech, such as "[BLANK_AUDIO]".
        self._suppressed = list(get_suppressed_tokens(self._tokenizer, [-1]))

    @property
    def version(self) -> dict[str, str]:
        """Names and versions of the recognizer's packages."""
        import ctranslate2
        import faster_whisper

        return {
            "engine": f"faster-whisper {faster_whisper.__version__}",
            "runtime": f"ctranslate2 {ctranslate2.__version__}",
        }

    def encode(self, sounds: Sequence[Samples]) -> tuple[Any, list[int]]:
        """Return CTranslate2's encoder output for several chunks, with the length of each in frames of 10 ms."""
        from faster_whisper.audio import pad_or_trim

        features = [self._model.feature_extractor(sound)[..., :-1] for sound in sounds]
        frames = [sound.size // (10 * PER_MS) for sound in sounds]
        return self._model.encode(np.stack([pad_or_trim(feature) for feature in features])), frames

    def select(self, encoded: tuple[Any, list[int]], chunks: Sequence[int]) -> tuple[Any, list[int]]:
        """Return CTranslate2's encoder output of some chunks, and their lengths."""
        import ctranslate2

        output, frames = encoded
        if list(chunks) == list(range(len(frames))):
            return encoded
        features = np.asarray(output.to_device(ctranslate2.Device.cpu))[list(chunks)]
        return ctranslate2.StorageView.from_array(features), [frames[chunk] for chunk in chunks]

    def language_at_a_glance(self, sound: Samples) -> Mapping[str, float]:
        """Return language -> its probability, of a chunk that is encoded at its own length instead of half a minute.

        The encoder attends from every frame to every other: what is not there costs nothing. Its text would be bad, as
        the network has only seen half minutes; its language differs by a few hundredths.
        """
        import ctranslate2

        if not self.multilingual:
            return {}
        features = self._model.feature_extractor(sound)[..., :-1]
        even = np.ascontiguousarray(features[None, :, : features.shape[-1] // 2 * 2])
        output = self._model.model.encode(ctranslate2.StorageView.from_array(even))
        (ranked,) = self._model.model.detect_language(output)
        return {token[2:-2]: float(share) for token, share in ranked}

    def languages(
        self, encoded: tuple[Any, list[int]], stretches: Sequence[Sequence[Span]]
    ) -> list[list[Mapping[str, float]]]:
        """Return for each stretch of each chunk language -> its probability.

        The decoder is asked for the language of a stretch while it sees the encoder's output of that stretch alone.
        That costs one step, a hundredth of encoding the stretch by itself.
        """
        import ctranslate2

        output, frames = encoded
        if not self.multilingual:
            return [[{} for _ in spans] for spans in stretches]
        features = np.asarray(output.to_device(ctranslate2.Device.cpu))
        probabilities: dict[tuple[int, int], Mapping[str, float]] = {}
        by_length: dict[int, list[tuple[int, int, int]]] = {}
        for chunk, spans in enumerate(stretches):
            for number, span in enumerate(spans):
                first, length = _frames(span, -(-frames[chunk] // 2), features.shape[1])
                by_length.setdefault(length, []).append((chunk, number, first))
        for length, places in by_length.items():
            cut = np.stack([features[chunk, first : first + length] for chunk, _, first in places])
            detected = self._model.model.detect_language(ctranslate2.StorageView.from_array(cut))
            for (chunk, number, _), ranked in zip(places, detected, strict=True):
                probabilities[chunk, number] = {token[2:-2]: float(share) for token, share in ranked}
        return [[probabilities[chunk, number] for number in range(len(spans))] for chunk, spans in enumerate(stretches)]

    def decode(self, encoded: tuple[Any, list[int]], options: DecodingOptions) -> list[Hypothesis]:
        """Decode all chunks; time stamps, where asked for, hold the text to the sound and are then dropped."""
        output, frames = encoded
        prompt = options.prompt.strip()
        prompt_tokens = self._tokenizer.encode(f" {prompt}") if prompt else []
        terms = ", ".join(options.terms) or None
        tokenizer = self._tokenizer_of(options.language)
        start = self._model.get_prompt(tokenizer, prompt_tokens, without_timestamps=not options.timed, hotwords=terms)
        results = self._model.model.generate(
            output,
            [start] * len(frames),
            beam_size=options.beam,
            max_length=self._model.max_length,
            suppress_tokens=self._suppressed,
            return_scores=True,
        )
        return [self._hypothesis(options, result) for result in results]

    def _hypothesis(self, options: DecodingOptions, result: Any) -> Hypothesis:
        generated = result.sequences_ids[0]
        tokens = tuple(token for token in generated if token < self._tokenizer.eot)
        # The score is the mean over the generated tokens; the end token counts, too (as in faster-whisper).
        mean = result.scores[0] * len(generated) / (len(generated) + 1)
        return Hypothesis(options, self._tokenizer.decode(list(tokens)).strip(), tokens, mean)

    def align(self, encoded: tuple[Any, list[int]], hypotheses: Sequence[Hypothesis]) -> list[tuple[Word, ...]]:
        """Return words with times from the decoder's attention to the sound (dynamic time warping)."""
        output, frames = encoded
        texts = [list(hypothesis.tokens) for hypothesis in hypotheses]
        language = next((hypothesis.options.language for hypothesis in hypotheses), ENGLISH)
        rows = self._model.find_alignment(self._tokenizer_of(language), texts, output, frames)
        return [tuple(word.in_language(language) for word in join_pieces(row, is_spaced(language))) for row in rows]


def _frames(span: Span, spoken: int, last: int) -> tuple[int, int]:
    """The first frame of 20 ms of a stretch and their number: at least `_LEAST_FRAMES`, and in steps of `_FRAME_STEP`,
    so that stretches of about the same length are one batch; within the ``spoken`` frames, as far as there are enough.
    """
    first, end = span.start // 20, -(-span.end // 20)
    length = min(last, max(_LEAST_FRAMES, -(-(end - first) // _FRAME_STEP) * _FRAME_STEP))
    first -= (length - (end - first)) // 2
    return max(0, min(first, max(spoken, length) - length)), length


def join_pieces(pieces: Sequence[dict[str, Any]], spaced: bool = True) -> tuple[Word, ...]:
    """Return words from an alignment's pieces: a piece that begins with a blank begins a word; signs join a neighbor.

    Where a language is not ``spaced``, every piece but a sign is a word.

    The engine's pieces are words, their parts ("-known") and signs (",", " -"). A word lasts as long as its letters do:
    signs have no sound, and the engine lets them fill the pause that follows.
    """
    words: list[Word] = []
    opening = ""
    for piece in pieces:
        text = piece["word"]
        sign = not text.strip(string.whitespace + string.punctuation + "“”‘’¿¡—–…。，、！？")
        if sign and text[:1].isspace() and text.strip() in _OPENING:
            opening = text.strip()
        elif words and not opening and (sign or (spaced and not text[:1].isspace())):
            words[-1] = _extend(words[-1], text.strip(), None if sign else piece)
        elif not sign:
            span = Span(to_ms(piece["start"]), max(to_ms(piece["start"]), to_ms(piece["end"])))
            words.append(Word(span, opening + text.strip(), _probability(piece)))
            opening = ""
    return tuple(words)


def _extend(word: Word, text: str, piece: dict[str, Any] | None) -> Word:
    """The word with a further part; a part of letters brings its time and lowers the probability, a sign does not."""
    if piece is None:
        return replace(word, text=word.text + text)
    span = Span(word.span.start, max(word.span.end, to_ms(piece["end"])))
    return Word(span, word.text + text, min(word.probability, _probability(piece)))


def _probability(piece: dict[str, Any]) -> float:
    return min(1.0, max(0.0, float(piece["probability"])))
