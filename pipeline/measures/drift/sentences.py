"""The results of the charts as sentences without statistics.

>>> pair = ("reflection_simple", "reflection_complex")
>>> drift_sentence("ann", "coach", pair, (14, 3), ("reflection_complex", 1.8), {}, 6)
'ann codes 1.8 times as many complex reflections as the coach. On the last 6 tapes, 14 utterances that are a simple \
reflection to the coach are a complex reflection to ann; 3 the other way around.'
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.measures.reliability.rating_matrix import NOT_CODED

_COUNTED = ("question", "reflection", "affirmation")


def code_phrase(code: str, labels: Mapping[str, str]) -> str:
    """Return a code in words within a sentence: "complex reflection"."""
    if code == NOT_CODED:
        return "nothing of the kind"
    if "|" in code:
        return " and ".join(code_phrase(part, labels) for part in code.split("|"))
    if code in labels:
        words = re.sub(r"\s*\(.*?\)", "", labels[code]).strip()
        if words == "Neither":  # beside change and sustain talk on a list of codes, but not alone in a sentence
            return "neutral talk"
        return words[:1].lower() + words[1:]
    head, _, kind = code.partition("_")
    return f"{kind} {head}".replace("_", " ").strip() if head in _COUNTED else code.replace("_", " ")


def plural(words: str) -> str:
    """Return the plural: "complex reflections"; "change talk" stays."""
    return f"{words}s" if words.endswith(_COUNTED) else words


def article(words: str) -> str:
    """Return the words with "a" or "an" if they can be counted."""
    if not words.endswith(_COUNTED):
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def undefined_reason(undefined: str, figure: str) -> str:
    """Return why a figure is missing, from the cell ``undefined`` of the table of agreement.

    >>> undefined_reason("kappa and alpha: one value throughout; intervals: only one tape", "alpha")
    'one value throughout'
    """
    for reason in undefined.split("; "):
        names, _, why = reason.partition(": ")
        if figure in re.split(r", | and | of ", names):
            return why
    return ""


def _coder_words(coder: str) -> tuple[str, str]:
    """Return a coder's name at the start of a sentence and within it."""
    return (f"The {coder}", f"the {coder}") if coder in ("group", "consensus", "machine") else (coder, coder)


def drift_sentence(
    coder: str,
    reference: str,
    pair: tuple[str, str],
    counts: tuple[int, int],
    ratio: tuple[str, float | None],
    labels: Mapping[str, str],
    tapes: int,
) -> str:
    """Return which code the coder gives more often, or less often, than the reference, and the reference's code there.

    Parameters
    ----------
    coder, reference: their names.
    pair, counts: the reference's code and the coder's, the units with both, and the units the other way around.
    ratio: a code, and how many times as often as the reference the coder gives it; None if the reference never does.
    labels: code -> words.
    tapes: how many tapes the counts are from.
    """
    subject, name = _coder_words(coder)
    before, after = (code_phrase(code, labels) for code in pair)
    noun = plural(code_phrase(ratio[0], labels))
    if ratio[1] is None:
        begin = f"{subject} codes {noun} where the {reference} codes none."
    else:
        many = "much" if noun == code_phrase(ratio[0], labels) else "many"
        begin = f"{subject} codes {ratio[1]:.1f} times as {many} {noun} as the {reference}."
    last = "the last tape" if tapes == 1 else f"the last {tapes} tapes"
    utterances = "1 utterance that is" if counts[0] == 1 else f"{counts[0]} utterances that are"
    are = "is" if counts[0] == 1 else "are"
    return (
        f"{begin} On {last}, {utterances} {article(before)} to the {reference} {are} {article(after)} to {name}; "
        f"{counts[1]} the other way around."
    )


def noise_sentence(coder: str, reference: str, mean: float, center: float, tapes: int) -> str:
    """Return that agreement fell, and that no code is given more often than before."""
    last = "the last tape" if tapes == 1 else f"the last {tapes} tapes"
    return (
        f"{_coder_words(coder)[0]} agrees with the {reference} less than at the start "
        f"({mean:.0%} against {center:.0%} on {last}), "
        "without favoring any code. Harder tapes can cause that, and so can less attention."
    )
