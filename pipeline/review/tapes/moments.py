"""Moments of a tape in words and as links: "3:10", or "#12" for an utterance of a tape that is coded from text.

>>> ten_minutes = TapeMoments("0123456789abcdef", 600_000, False)
>>> ten_minutes.parse("3:10"), ten_minutes.words(190_000), ten_minutes.parse("12:00"), ten_minutes.parse("")
(190000, '3:10', None, None)
>>> str(ten_minutes.linked("You waited at 3:10."))
'You waited at <a class="moment" href="/tapes/0123456789abcdef/moment?at=190000">3:10</a>.'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup, escape

from pipeline.tapes.db.records import Tape

_TIME = re.compile(r"(?<![\d:.,])(?:(\d):)?(\d{1,3}):([0-5]\d)(?![\d:])")
_NUMBER = re.compile(r"(?<![\w&#])#(\d{1,5})\b")


@dataclass(frozen=True)
class TapeMoments:
    """The moments of one tape. ``end``: its length in ms; of a tape coded from text, the number of its utterances."""

    tape_id: str
    end: int
    from_text: bool

    @classmethod
    def of(cls, tape: Tape) -> TapeMoments:
        """The moments of a tape; how many utterances one from text has is not asked: no number is too high."""
        return cls(tape.id, 10**5 if tape.from_text else tape.duration_ms or 0, tape.from_text)

    def parse(self, text: str) -> int | None:
        """Return the moment that a text is; None where it is none of this tape."""
        match = (_NUMBER if self.from_text else _TIME).fullmatch(text.strip())
        return self._moment(match) if match else None

    def words(self, moment: int) -> str:
        """Return a moment as people write it."""
        return f"#{moment}" if self.from_text else f"{moment // 60_000}:{moment // 1000 % 60:02d}"

    def link(self, moment: int) -> str:
        """Return the address that plays a moment."""
        return f"/tapes/{self.tape_id}/moment?at={moment}"

    def linked(self, text: str) -> Markup:
        """Return a text as HTML, with its moments as links."""
        parts, end = [], 0
        for match in (_NUMBER if self.from_text else _TIME).finditer(text):
            moment = self._moment(match)
            if moment is not None:
                link = Markup('<a class="moment" href="{}">{}</a>').format(self.link(moment), match[0])
                parts += [escape(text[end : match.start()]), link]
                end = match.end()
        return Markup().join([*parts, escape(text[end:])])

    def named(self, text: str) -> tuple[tuple[str, str], ...]:
        """Return (address, words) of each moment that a text names, once each, in their order in the text."""
        matches = list((_NUMBER if self.from_text else _TIME).finditer(text))
        moments = dict.fromkeys(moment for match in matches if (moment := self._moment(match)) is not None)
        return tuple((self.link(moment), self.words(moment)) for moment in moments)

    def _moment(self, match: re.Match[str]) -> int | None:
        if self.from_text:
            moment = int(match[1])
            return moment if 0 < moment <= self.end else None
        hours, minutes, seconds = (int(group or 0) for group in match.groups())
        moment = ((60 * hours + minutes) * 60 + seconds) * 1000
        return moment if moment <= self.end else None
