"""A whole recording at a glance: how long it is, how it looks, what is wrong with it. None of its sound is kept.

A recording may last for hours, of which twenty minutes are taken. So the sound is reduced as it comes out of the
decoder to a few numbers for each frame of 20 ms, from which the same judgments follow as from the samples
(`pipeline.audio.leveling`, `pipeline.audio.quality`). The part that is taken is judged again, by its samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.audio import continuity, decoder, extent, folding, leveling, quality, source_file, track_choice
from pipeline.audio.decoder import DecodedAudio
from pipeline.audio.quality import FRAME, FRAME_SAMPLES, QualityWarning
from pipeline.audio.source_bytes import SoundSource
from pipeline.errors import AudioError
from pipeline.run.progress import ignore
from pipeline.settings import AudioSettings

_SECOND = 1000 // FRAME  # frames


@dataclass(frozen=True)
class Overview:
    """``shown`` milliseconds were looked at, which is all of the recording if it is ``complete``.

    ``peaks`` are the largest magnitudes of its frames of 20 ms, 0 to 1, of the channel that is louder.
    """

    sha256: str
    shown: int
    complete: bool
    peaks: np.ndarray
    warnings: tuple[QualityWarning, ...]


def look_over(file: SoundSource, settings: AudioSettings, limit: int) -> Overview | None:
    """Look a recording over, up to so many milliseconds of it; None where it may have other sound tracks.

    Raises
    ------
    AudioError: A01 to A15, A19, see `pipeline.errors.CODES`.
    """
    thing = f"recording {source_file.printable(file)}"
    frames = FrameSums()
    with source_file.opened(file, settings, thing) as content:
        container, layout = source_file.identified(content, thing)
        if layout.damage:
            raise extent.damaged(layout.damage, thing)
        request = source_file.request(container, layout, 0, limit + extent.SLACK, settings)
        try:
            decoded = decoder.decode(content, request, thing, ignore, frames.add)
        except AudioError as error:
            if error.code in track_choice.UNREADABLE:
                return None
            raise
        if len(decoded.tracks) > 1:
            return None
        extent.check_extent(decoded, settings, 0, None if decoded.extent.complete else limit, thing)
        if damage := extent.contradiction(decoded):
            raise extent.damaged(damage, thing)
        digest = content.sha256()
    holes = continuity.warnings(extent.holes([decoded], 0, frames.samples, thing), layout.remark)
    peaks, judged = frames.judged(decoded, settings)
    shown = frames.samples * 1000 // quality.SAMPLE_RATE
    return Overview(digest, shown, decoded.extent.complete, peaks, (*holes, *judged))


class FrameSums:
    """The sums of each frame of sound that comes in blocks, of which ``samples`` of each channel are here."""

    def __init__(self) -> None:
        self.samples = 0
        self._rest = np.zeros((0, 0), np.float32)
        self._frames: list[tuple[np.ndarray, ...]] = []

    def add(self, samples: np.ndarray) -> None:
        """Take the next block: float32, shape (channels, n), at 16 kHz."""
        self.samples += samples.shape[1]
        joined = np.concatenate([self._rest, samples], axis=1) if self._rest.size else samples
        count = joined.shape[1] // FRAME_SAMPLES
        self._rest = joined[:, count * FRAME_SAMPLES :].copy()
        if count:
            self._frames.append(_reduced(joined[:, : count * FRAME_SAMPLES].reshape(len(joined), count, -1)))

    def judged(self, decoded: DecodedAudio, settings: AudioSettings) -> tuple[np.ndarray, tuple[QualityWarning, ...]]:
        """Return the largest magnitude of each frame, (k,), and the warnings about the sound."""
        if not self._frames:  # less than a frame
            return np.zeros(1, np.float32), ()
        sums = (np.concatenate(column, axis=1) for column in zip(*self._frames, strict=True))
        power, mean, peak, band, product = sums
        power, peak = _without_offset(power, mean, peak)
        speaking, warnings = folding.speaking_channels(quality.decibels(power))
        power, peak, band = power[speaking], peak[speaking], band[speaking]
        usual = _usual(peak)
        measured = quality.decibels(np.minimum(power / usual**2, leveling.SPIKE**2))
        apart = quality.lead_changes(measured)
        if not apart and len(speaking) == len(product) == 2 and _opposite(power, product[0]):
            warnings = (*warnings, QualityWarning("polarity", None, leveling.TURNED))
        voices = [measured[[number]] for number in range(len(measured))] if apart else [measured]
        of_voices = [peak[[number]] for number in range(len(peak))] if apart else [peak]
        ceilings = [float(heights.max(initial=0.0, where=heights < leveling.SPIKE * usual)) for heights in of_voices]
        factors = [
            leveling.gain(voice.max(axis=0), usual, ceiling) for voice, ceiling in zip(voices, ceilings, strict=True)
        ]
        gains = np.array(factors if apart else factors * len(measured))
        over = 20 * np.log10(max(*ceilings, 1.0))
        if over > leveling.OVER:
            warnings = (*warnings, leveling.over_full_scale(int(peak.max(axis=0).argmax()) * FRAME, over))
        judged = quality.inspect_levels(
            quality.decibels(power * gains[:, None] ** 2),
            lambda active: quality.band_ratio(band.sum(axis=0)[active].mean(axis=0)),
            decoded.format.sample_rate,
            decoded.extent.clipped,
            settings.quiet_dbfs,
            settings.silence_seconds,
            list(20 * np.log10(gains)),
        )
        heights: np.ndarray = np.minimum(peak * gains[:, None], 1.0).max(axis=0)
        return heights, (*warnings, *judged)


def _reduced(frames: np.ndarray) -> tuple[np.ndarray, ...]:
    """Power, mean, peak, power by band and product of two channels, of frames (channels, k, n); all (…, k, …)."""
    power = np.einsum("ckn,ckn->ck", frames, frames) / FRAME_SAMPLES
    if len(frames) == 2:
        product = np.einsum("kn,kn->k", *frames) / FRAME_SAMPLES
        products = np.stack([product, product])
    else:
        products = np.zeros_like(power)
    band = quality.bands(frames * np.hanning(FRAME_SAMPLES).astype(np.float32)).astype(np.float32)
    return power, frames.mean(axis=2), np.abs(frames).max(axis=2), band, products


def _without_offset(power: np.ndarray, mean: np.ndarray, peak: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take a constant or drifting offset of each channel off the power and the peaks of its frames, if it has one."""
    power, peak = power.copy(), peak.copy()
    for number, means in enumerate(mean):
        seconds = np.repeat(
            np.add.reduceat(means, range(0, len(means), _SECOND))
            / np.diff([*range(0, len(means), _SECOND), len(means)]),
            _SECOND,
        )[: len(means)]
        swing = np.sqrt(max(float(power[number].mean()) - float(means.mean()) ** 2, 0.0))
        if np.abs(seconds).max() > leveling.OFFSET * swing:
            power[number] = np.maximum(power[number] - 2 * means * seconds + seconds**2, 0.0)
            peak[number] = np.maximum(peak[number] - np.abs(seconds), 0.0)
    return power, peak


def _usual(peak: np.ndarray) -> float:
    """The peak of most frames with sound, (channels, k); 1 where there is no sound."""
    heights = peak.max(axis=0)
    heights = heights[heights > 0]
    return float(np.percentile(heights, 95)) if len(heights) else 1.0


def _opposite(power: np.ndarray, product: np.ndarray) -> bool:
    energies = float(power[0].sum()) * float(power[1].sum())
    return energies > 0 and float(product.sum()) / np.sqrt(energies) < leveling.OPPOSITE
