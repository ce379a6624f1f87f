"""A suggested part of a draft's recording, as the page that picks the part shows it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.review.upload.surveys import Survey
from pipeline.settings import AudioSettings
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import suggestions
from pipeline.timeline import clock

_LONGER = 60_000  # ms that a recording is longer than the part, from which on there is something to choose


@dataclass(frozen=True)
class ShownSuggestion:
    """A suggestion as the page shows it; ``start`` and ``end`` are typed times, empty where there is no part."""

    state: str
    start: str = ""
    end: str = ""
    moments: int = 0
    all_moments: int = 0


def longest_part(settings: AudioSettings) -> int:
    """Return how long a part may be, in milliseconds."""
    return int(min(settings.segment_limit_minutes, settings.hard_limit_minutes) * 60_000)


def is_choice(survey: Survey, length: int) -> bool:
    """Return whether the recording is so long that there is a choice of parts of ``length`` ms."""
    return survey.shown >= length + _LONGER


def shown(home: Home, tape_id: str, survey: Survey, length: int) -> ShownSuggestion | None:
    """Return the suggestion for a draft; None where there is hardly anything to choose."""
    if not is_choice(survey, length):
        return None
    current = suggestions.current(home, tape_id)
    if current.part is None:
        return ShownSuggestion(current.state)
    part = current.part
    return ShownSuggestion(current.state, clock(part.start), clock(part.end), part.moments, part.all_moments)
