"""The questions to the interviewer before anybody else speaks.

Two forms, in our own words: eight questions about the session, after a session review sheet by Downey; and a
self-appraisal of thirteen points from 0 to 5, after one by Kraybill. Both belong to the material with which MI peer
groups work; see Miller and Rollnick (2013) on learning communities.
"""

from __future__ import annotations

from dataclasses import dataclass

SESSION_REVIEW, SELF_APPRAISAL = "session_review", "self_appraisal"
SCALE = tuple(range(6))  # the numbers of an answer; chosen here
ENDS = ("not yet", "throughout")
"""What the lowest number and the highest stand for."""


@dataclass(frozen=True)
class Question:
    """One question: its name in the stored answers, its words, and what may help to answer it."""

    name: str
    text: str
    hint: str = ""


REVIEW = (
    Question("safety", "How did you help the client feel safe and trust you?"),
    Question(
        "listening",
        "Where did you stay with reflecting and open questions?",
        "About two reflections per open question is a good direction.",
    ),
    Question(
        "change_talk",
        "Which change talk did you notice, and what did you do with it?",
        "Desire, ability, reasons, need, or a commitment.",
    ),
    Question("why", "What did you do so that the client found out why the change would matter?"),
    Question("confidence", "How did you find out how confident the client is, and how did you make that stronger?"),
    Question("strengths", "Which strengths and experience of the client did you see, and how did you say so?"),
    Question("readiness", "Were there signs of readiness? Did you move toward a plan and a commitment?"),
    Question("next", "What would you like to try next time, and which skill do you want to work on?"),
)

APPRAISAL = (
    Question("presence", "I was present in a way that felt safe and welcoming."),
    Question("interest", "I was truly curious about this person's life and what matters in it."),
    Question("focus", "I found out what the person wanted to talk about."),
    Question("dilemma", "We looked at both sides of the dilemma."),
    Question("no_fixing", "I kept from fixing, advising, warning and teaching."),
    Question("reasons", "I drew out why this person might change."),
    Question("ways", "I drew out how this person might change."),
    Question("importance", "I asked how important the change is."),
    Question("confidence", "I asked how confident the person is."),
    Question("steps", "I asked what the next step could be, if there is one."),
    Question("permission", "Before I gave information or a suggestion, I asked whether it was welcome."),
    Question("skills", "I used open questions, affirmations, reflections and summaries from beginning to end."),
    Question("partnership", "Spirit: we worked as partners."),
    Question("acceptance", "Spirit: I accepted the person as they are."),
    Question("compassion", "Spirit: I put the person's well-being first."),
    Question("evocation", "Spirit: I drew out what was already there."),
)
"""Thirteen points; the last of them, the spirit of MI, in its four parts."""


@dataclass(frozen=True)
class Screen:
    """Questions that are asked at once: their names, in `REVIEW`, or for `rated` ones in `APPRAISAL`."""

    title: str
    names: tuple[str, ...]
    rated: bool = False

    @property
    def questions(self) -> list[Question]:
        """The questions themselves."""
        by_name = {question.name: question for question in (APPRAISAL if self.rated else REVIEW)}
        return [by_name[name] for name in self.names]


SCREENS = (
    Screen("Trust and listening", ("safety", "listening")),
    Screen("Change talk", ("change_talk", "why")),
    Screen("Confidence and strengths", ("confidence", "strengths")),
    Screen("Readiness, and what is next", ("readiness", "next")),
    Screen("Your own view: meeting the person", ("presence", "interest", "focus"), rated=True),
    Screen("Your own view: both sides", ("dilemma", "no_fixing", "reasons"), rated=True),
    Screen("Your own view: ways to change", ("ways", "importance", "confidence"), rated=True),
    Screen("Your own view: steps and skills", ("steps", "permission", "skills"), rated=True),
    Screen("Your own view: the spirit of MI", ("partnership", "acceptance", "compassion", "evocation"), rated=True),
)
"""Every question, a few at a time: as many as a phone shows without scrolling."""
