"""Which workers are dead: those whose number of heartbeats has not grown for too long.

Each watcher goes by its own clock, so that clocks which differ between machines do no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Watch:
    """Watches the pulse of other workers.

    Parameters
    ----------
    me: the worker that watches.
    limit: seconds without a beat after which a worker is dead.
    """

    def __init__(self, me: str, limit: float) -> None:
        self._me, self._limit = me, limit
        self._pulse: dict[str, tuple[int | None, float]] = {}

    def dead(self, beats: Mapping[str, int], holders: Iterable[str], now: float) -> set[str]:
        """The workers that are dead.

        Parameters
        ----------
        beats: worker -> how often its heart has beaten, of all that say they are there.
        holders: the workers that have jobs, be they there or not.
        """
        names = (set(beats) | set(holders)) - {self._me}
        pulse = {}
        for name in names:
            beat = beats.get(name)
            before = self._pulse.get(name)
            pulse[name] = before if before is not None and before[0] == beat else (beat, now)
        self._pulse = pulse
        return {name for name, (_, since) in pulse.items() if now - since >= self._limit}
