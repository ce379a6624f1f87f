"""An overview of several groups without a ranking: agreement over time, tapes checked, coaching visits.

Groups are listed by name, never in order of a figure, and a group under `MIN_PEOPLE` people is merged into one row with
the other small ones, so that no figure is about one person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MIN_PEOPLE = 5
"""People behind a figure, at least; chosen here: among four, each knows whom a change is about."""
FOLDED_NAME = "Small groups together"


@dataclass(frozen=True)
class GroupPeriod:
    """The figures of one group: ``quarters`` maps a quarter to the utterances that group and coach coded alike, and to
    all that both coded.

    ``left_out`` maps a reason to the tapes that a coach coded and that are not counted for it.
    """

    name: str
    people: int
    tapes: int
    checked: int
    visits: int
    quarters: Mapping[str, tuple[int, int]]
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def share_checked(self) -> float | None:
        """The share of tapes that a coach coded, of those that are not left out; None without tapes."""
        counted = self.tapes - sum(self.left_out.values())
        return self.checked / counted if counted else None

    def agreement(self, quarter: str) -> float | None:
        """Return the share of utterances coded alike; None if none was double-coded."""
        alike, units = self.quarters.get(quarter, (0, 0))
        return alike / units if units else None


def fold_small_groups(groups: Sequence[GroupPeriod]) -> tuple[GroupPeriod, ...]:
    """Return the groups by name, with the small ones merged into one row at the end.

    If there are not enough people in at least two small groups to hide among, these are left out with their figures.
    """
    large = sorted((group for group in groups if group.people >= MIN_PEOPLE), key=lambda group: group.name)
    small = [group for group in groups if group.people < MIN_PEOPLE]
    if sum(group.people for group in small) < MIN_PEOPLE or len(small) < 2:
        return tuple(large)
    quarters: dict[str, tuple[int, int]] = {}
    for group in small:
        for quarter, (alike, units) in group.quarters.items():
            before = quarters.get(quarter, (0, 0))
            quarters[quarter] = (before[0] + alike, before[1] + units)
    left: Counter[str] = Counter()
    for group in small:
        left.update(group.left_out)
    people, tapes, checked, visits = (
        sum(getattr(group, name) for group in small) for name in ("people", "tapes", "checked", "visits")
    )
    return (*large, GroupPeriod(FOLDED_NAME, people, tapes, checked, visits, quarters, dict(left)))
