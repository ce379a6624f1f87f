"""Languages: their names, which of them neighboring stretches of a tape share, and how much of a tape is in each.

Pre-tags and figures are for English. Speech in another language is transcribed and left without codes, and every page
that shows a figure says how much of the tape that is (`share_sentence`).

>>> share_sentence(shares(["en", "es", "en"], [60, 31, 9]))
'31% of the speech is Spanish: transcribed, not coded, and in no figure but talk time'
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

AUTO = "auto"
"""The setting with which the language is detected."""

ENGLISH = "en"

_NAMES = """
af Afrikaans, am Amharic, ar Arabic, as Assamese, az Azerbaijani, ba Bashkir, be Belarusian, bg Bulgarian, bn Bengali,
bo Tibetan, br Breton, bs Bosnian, ca Catalan, cs Czech, cy Welsh, da Danish, de German, el Greek, en English,
es Spanish, et Estonian, eu Basque, fa Persian, fi Finnish, fo Faroese, fr French, gl Galician, gu Gujarati, ha Hausa,
haw Hawaiian, he Hebrew, hi Hindi, hr Croatian, ht Haitian Creole, hu Hungarian, hy Armenian, id Indonesian,
is Icelandic, it Italian, ja Japanese, jw Javanese, ka Georgian, kk Kazakh, km Khmer, kn Kannada, ko Korean, la Latin,
lb Luxembourgish, ln Lingala, lo Lao, lt Lithuanian, lv Latvian, mg Malagasy, mi Maori, mk Macedonian, ml Malayalam,
mn Mongolian, mr Marathi, ms Malay, mt Maltese, my Burmese, ne Nepali, nl Dutch, nn Norwegian Nynorsk, no Norwegian,
oc Occitan, pa Punjabi, pl Polish, ps Pashto, pt Portuguese, ro Romanian, ru Russian, sa Sanskrit, sd Sindhi,
si Sinhala, sk Slovak, sl Slovenian, sn Shona, so Somali, sq Albanian, sr Serbian, su Sundanese, sv Swedish,
sw Swahili, ta Tamil, te Telugu, tg Tajik, th Thai, tk Turkmen, tl Tagalog, tr Turkish, tt Tatar, uk Ukrainian,
ur Urdu, uz Uzbek, vi Vietnamese, yi Yiddish, yo Yoruba, yue Cantonese, zh Chinese
"""
NAMES: Mapping[str, str] = {
    code: name for code, _, name in (entry.strip().partition(" ") for entry in _NAMES.replace("\n", " ").split(","))
}
"""Code -> English name of the languages that Whisper's multilingual models transcribe."""

_UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "yue", "zh"})

NO_FIGURES_BELOW = 0.05
"""A tape with a smaller share of English than this has no figures: a stray "okay" is no session."""

_FLOOR = 0.02
"""No stretch is surer than this, of English or of another language: none decides alone."""


def code(text: str) -> str | None:
    """Return the code of a language by its code or its English name, None for any other text.

    >>> code("ES"), code("es-MX"), code("Spanish"), code("Klingon")
    ('es', 'es', 'es', None)
    """
    plain = text.strip().lower().replace("_", "-")
    by_name = {name.lower(): known for known, name in NAMES.items()}
    return plain if plain in NAMES else by_name.get(plain) or (plain.partition("-")[0] if _is_variant(plain) else None)


def _is_variant(plain: str) -> bool:
    main, dash, rest = plain.partition("-")
    return bool(dash) and main in NAMES and rest.isalnum()


def name(language: str) -> str:
    """Return the English name of a language's code."""
    return NAMES.get(language, language)


def is_foreign(language: str) -> bool:
    """Return whether it is another language than English; where none is named, it is taken for English."""
    return language not in ("", ENGLISH)


def is_spaced(language: str) -> bool:
    """Return whether words are parted by blanks in writing."""
    return language not in _UNSPACED


def foreign_stretches(stretches: Sequence[tuple[float, float]], change_cost: float, english_bonus: float) -> list[bool]:
    """Return whether each stretch is in another language than English: the likeliest sequence through all of them.

    A short or unclear stretch is taken for what its neighbors are, since changing there and back costs more than it
    weighs (Viterbi with two states).

    Parameters
    ----------
    stretches: in order of time, each with the probability of English, and its weight from 0 (says nothing) to 1.
    change_cost: cost of a change of language, in log odds of a stretch of weight 1.
    english_bonus: what each stretch grants to English, in the same unit.
    """
    english = foreign = 0.0
    origins: list[tuple[bool, bool]] = []
    for probability, weight in stretches:
        certain = min(max(probability, _FLOOR), 1 - _FLOOR)
        odds = weight * (math.log(certain / (1 - certain)) + english_bonus)
        origins.append((foreign - change_cost > english, foreign >= english - change_cost))
        english, foreign = max(english, foreign - change_cost) + odds, max(foreign, english - change_cost)
    is_foreign_now, labels = foreign > english, []
    for from_foreign_to_english, from_foreign_to_foreign in reversed(origins):
        labels.append(is_foreign_now)
        is_foreign_now = from_foreign_to_foreign if is_foreign_now else from_foreign_to_english
    return labels[::-1]


def shares(spoken: Iterable[str], amounts: Iterable[float]) -> dict[str, float]:
    """Return the share of each language, the largest first; empty where nothing is spoken.

    ``spoken``: the language of each utterance, "" for English; ``amounts``: how long each is.
    """
    total: dict[str, float] = {}
    for language, amount in zip(spoken, amounts, strict=True):
        total[language or ENGLISH] = total.get(language or ENGLISH, 0.0) + amount
    whole = sum(total.values())
    ranked = sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))
    return {language: amount / whole for language, amount in ranked} if whole else {}


def is_without_figures(share_of: Mapping[str, float]) -> bool:
    """Return whether so little of a tape is in English that no figure would be of the session."""
    return bool(share_of) and share_of.get(ENGLISH, 0.0) < NO_FIGURES_BELOW


def share_sentence(share_of: Mapping[str, float], thing: str = "speech") -> str:
    """Return how much of a tape is in other languages, in a sentence; "" where all of it is English.

    ``thing`` is the noun for what was measured: the "speech", or the "words" of a transcript without sound.
    """
    foreign = [(language, share) for language, share in share_of.items() if is_foreign(language)]
    if not foreign:
        return ""
    verb = "are" if thing.endswith("s") else "is"
    parts = [f"{_percent(share)} of the {thing} {verb} {name(language)}" for language, share in foreign[:1]]
    parts += [f"{_percent(share)} {name(language)}" for language, share in foreign[1:]]
    spoken = " and ".join((", ".join(parts[:-1]), parts[-1])) if parts[1:] else parts[0]
    done = "transcribed, not coded" if thing == "speech" else "not coded"
    if is_without_figures(share_of):
        return f"{spoken}: {done}, so there are no figures. The machine codes English alone"
    return f"{spoken}: {done}, and in no figure{' but talk time' if thing == 'speech' else ''}"


def _percent(share: float) -> str:
    return (
        "less than 1%"
        if share < 0.01
        else f"{math.floor(100 * share) if share > 0.99 and share < 1 else round(100 * share)}%"
    )


def no_figures_reason(share_of: Mapping[str, float]) -> str | None:
    """Return why a tape has no figures, to stand in place of each; else None."""
    if not is_without_figures(share_of):
        return None
    return f"the speech is {name(next(filter(is_foreign, share_of)))}, and not coded"
