"""MITI 4.2's summary of a session: the scores from coders' ratings of the whole session, and totals of behavior counts.

The thresholds are the manual's (Moyers, Manuel and Ernst, Motivational Interviewing Treatment Integrity Coding Manual
4.2.1): expert opinion without normative data. It has none for MI-adherent and MI-non-adherent behaviors.

>>> technical, relational = global_scores({"cultivating_change_talk": 3, "softening_sustain_talk": 4, "empathy": 5})
>>> technical.value, [reference.label for reference in technical.references], relational.undefined
(3.5, ['fair', 'good'], 'partnership is not rated')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.measures.session.measures import Measure, PublishedThreshold, SessionMeasures

TECHNICAL = ("cultivating_change_talk", "softening_sustain_talk")
RELATIONAL = ("partnership", "empathy")
GLOBAL_RATINGS = (*TECHNICAL, *RELATIONAL)
"""The ratings that a coder gives a whole session, each from `LOWEST` to `HIGHEST`."""

LOWEST, HIGHEST = 1, 5  # the manual's

_SCORES = (  # with the manual's thresholds: fair, good
    ("technical", "Technical score", TECHNICAL, (3.0, 4.0)),
    ("relational", "Relational score", RELATIONAL, (3.5, 4.0)),
)
_RATIOS = ("percent_complex_reflections", "reflections_per_question")
_TOTALS = (("mi_adherent", "Total MI-adherent"), ("mi_non_adherent", "Total MI-non-adherent"))


def global_scores(ratings: Mapping[str, int], why: str = "is not rated") -> tuple[Measure, ...]:
    """Return the technical and the relational score, each the mean of its two ratings.

    ``why`` ends the reason for a missing score: "partnership is not rated".
    """
    measures = []
    for name, label, parts, (fair, good) in _SCORES:
        references = (PublishedThreshold(fair, "fair"), PublishedThreshold(good, "good"))
        missing = [part.replace("_", " ") for part in parts if part not in ratings]
        if missing:
            reason = f"{missing[0]} {why}"
            measures.append(Measure(name, label, "ratio", None, 0, undefined=reason, references=references))
            continue
        total = sum(ratings[part] for part in parts)
        measures.append(Measure(name, label, "ratio", total / len(parts), total, len(parts), references=references))
    return tuple(measures)


def adherence_totals(
    measures: SessionMeasures, adherent: Sequence[str], non_adherent: Sequence[str]
) -> tuple[Measure, ...]:
    """Return the totals of MI-adherent and MI-non-adherent behaviors, each behavior counted by the codebook's rule.

    ``adherent`` and ``non_adherent`` are the codes of each; empty if the codebook has none.
    """
    totals = []
    for (name, label), codes in zip(_TOTALS, (adherent, non_adherent), strict=True):
        if not codes:
            reason = f"this codebook has no code for {name.replace('_', '-').replace('mi-', 'MI-', 1)} behaviors"
            totals.append(Measure(name, label, "count", None, 0, undefined=reason))
            continue
        withheld = next((measures.counts[code].undefined for code in codes if measures.counts[code].undefined), None)
        if withheld:
            totals.append(Measure(name, label, "count", None, 0, undefined=withheld))
            continue
        number = sum(measures.counts[code].numerator for code in codes)
        totals.append(Measure(name, label, "count", number, number, low=number, high=number, median=number))
    return tuple(totals)


def behavior_measures(
    measures: SessionMeasures, adherent: Sequence[str], non_adherent: Sequence[str]
) -> tuple[Measure, ...]:
    """Return %CR, R:Q and the two totals, in the manual's order."""
    return (*(measures.ratios[name] for name in _RATIOS), *adherence_totals(measures, adherent, non_adherent))
