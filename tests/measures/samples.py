"""An invented session, coded and with probabilities, as the tagger would hand it over. Nobody was recorded."""

from dataclasses import replace

import pandas as pd

from pipeline.measures.session.counts import BY_UTTERANCE

INTERVIEWER_CODES = (
    "question_open",
    "question_closed",
    "reflection_simple",
    "reflection_complex",
    "information",
    "other",
)
CLIENT_CODES = ("change", "sustain", "neutral")

TARGET = "walking for 30 minutes on most days"

OWN = {"affirmation": ("affirmation",), "summary": ("summary",)}
RULE = replace(BY_UTTERANCE, codes_by_meaning={**BY_UTTERANCE.codes_by_meaning, **OWN})
"""A codebook with the machine's codes, affirmations and summaries."""

# role, codes, probability of the least certain decision, text
SCRIPT = """
I other .97 Good morning, thanks for coming in.
C neutral .99 Morning.
I information .88 We have about ten minutes, and we can use them for whatever matters most to you.
C neutral .95 Okay, sounds good.
I question_open .98 What brings you here today?
C neutral .81 Well, my doctor told me I ought to move more, for my blood pressure.
C sustain .74 I'm not sure it would make much of a difference, honestly.
I reflection_simple .86 You're not so sure it would help.
C sustain .71 Right, my father walked every day and he still had a stroke.
I reflection_complex .64 So part of you wonders whether it is even worth the trouble.
C sustain .83 Yeah, and I get home at seven, I'm dead on my feet.
I other .96 Mm-hm.
C sustain .88 I just don't have the time for it.
I question_closed .93 Do you get any exercise at work?
C neutral .90 Not really, I sit at a desk all day long.
I reflection_simple .82 You sit most of the day, and by seven you are worn out.
C sustain .58 That's it.
I question_open .95 What would be different for you if you did move more?
C neutral .52 Hm, I don't know.
C change .84 I guess I would sleep better.
C change .91 And I'd like to be able to keep up with my grandson, he's four and he runs everywhere.
I reflection_complex .79 You want to be the grandfather who runs along, not the one who watches from the bench.
C change .93 Yes, exactly, I hate that bench.
C change .77 Last summer I had to stop after five minutes, and he looked at me, and that stayed with me.
I reflection_complex .72 That look told you something about the years ahead.
C change .86 It did, I want to be around, and not just around but with him.
I affirmation .99 Being there for him really matters to you, and you say it very plainly.
C change .69 It does.
I question_open .97 When have you moved more, even a little?
C neutral .87 In spring I took the dog along the river for a while.
C change .62 It was good, actually, my head was clear afterwards.
I reflection_simple .90 Your head was clear.
C change .55 Yeah, and I was nicer at home, my wife said so.
I other .94 Mm-hm.
C sustain .81 But then it got dark so early and I let it slide.
I reflection_simple .77 The dark evenings got in the way.
C sustain .73 In the dark that path is no fun.
I question_open|reflection_complex .57 So the will is there and the evening is the wrong time, what might work instead?
C change .66 I could go at lunch, there is a park behind the office.
C change .82 Twenty minutes, out and back, that would be possible.
I reflection_simple .74 Lunch might be the time.
C change .88 I think so, I could start with Tuesday and Thursday.
I question_closed .91 Would it be all right if I told you what has worked for other people?
C neutral .94 Sure.
I information .92 Some people put their shoes under the desk, and some ask a colleague to come along.
C change .79 Oh, Peter would come, he's been saying the same thing for months.
I reflection_complex .61 You would not be alone with it, and Peter might be as glad as you.
C change .75 Yeah, he'd be thrilled.
I question_open .96 On a scale from zero to ten, how sure are you that you can do it?
C neutral .63 Maybe a six.
I question_open .94 What makes it a six and not a three?
C change .85 Because I've done it before, and because it's only twenty minutes.
I reflection_simple .80 You know that you can, and it fits into a lunch break.
C change .83 I'm going to ask Peter this afternoon.
I affirmation|reflection_simple .68 You've found a time, a place and someone to go with, all by yourself.
C change .51 Ha, I suppose I have.
I summary .99 So you came because of your blood pressure, you want to run with your grandson, and on Tuesday you start.
C change .90 Yes, on Tuesday.
I question_closed .89 Shall we look at how it went in two weeks?
C neutral .92 Two weeks is good.
"""


def coded(script: str = SCRIPT, pace: int = 330, gap: int = 500) -> pd.DataFrame:
    """The table of a script: ``pace`` ms a word and ``gap`` ms between utterances, in order."""
    rows, clock, turn, last = [], 1_000, 0, ""
    for number, line in enumerate(script.strip().splitlines(), start=1):
        letter, codes, probability, text = line.split(" ", 3)
        role = {"I": "interviewer", "C": "client", "O": "other", "U": "unknown"}[letter]
        turn += role != last
        last, end = role, clock + pace * len(text.split())
        rows.append(
            {
                "tape_id": "invented",
                "utterance_id": f"u{number:04d}",
                "turn_id": f"t{turn:03d}",
                "role": role,
                "speaker": {"I": "S1", "C": "S2", "U": "S3"}[letter],
                "start": clock,
                "end": end,
                "text": text,
                "codes": "" if codes == "-" else codes,
                "probability": float(probability),
                "needs_check": float(probability) < 0.7,
                **probabilities(role, set(codes.split("|")), float(probability)),
            }
        )
        clock = end + gap
    columns = ["tape_id", "utterance_id", "turn_id", "role", "speaker", "start", "end", "text", "codes", "probability"]
    columns += ["needs_check", *(f"p_{code}" for code in INTERVIEWER_CODES + CLIENT_CODES)]
    return pd.DataFrame(rows, columns=columns)


def probabilities(role: str, codes: set[str], sure: float) -> dict[str, float]:
    """Marginals in which every code that was chosen has the probability ``sure`` and its closest rival the rest."""
    p = dict.fromkeys((f"p_{code}" for code in INTERVIEWER_CODES + CLIENT_CODES), 0.0)
    rival = {
        "question_open": "question_closed",
        "question_closed": "question_open",
        "reflection_simple": "reflection_complex",
        "reflection_complex": "reflection_simple",
        "change": "neutral",
        "sustain": "neutral",
        "neutral": "change",
        "other": "reflection_simple",
    }
    for code in codes & set(INTERVIEWER_CODES if role == "interviewer" else CLIENT_CODES):
        p[f"p_{code}"] = sure
        if code in rival:
            p[f"p_{rival[code]}"] = round(1 - sure, 6)
    return p


def table(*rows: tuple[str, str], **columns: object) -> pd.DataFrame:
    """A bare table of (role letter, codes) without probabilities; further columns as given."""
    roles = {"I": "interviewer", "C": "client", "O": "other", "U": "unknown"}
    numbers = [str(number) for number in range(1, len(rows) + 1)]
    return pd.DataFrame(
        {
            "tape_id": ["t"] * len(rows),
            "utterance_id": numbers,
            "role": [roles[letter] for letter, _ in rows],
            "text": [f"Words of {number}." for number in numbers],
            "codes": [codes for _, codes in rows],
            **columns,
        }
    )


def long_session(utterances: int = 400) -> pd.DataFrame:
    """The invented session again and again, about 20 minutes at 400 utterances."""
    lines = SCRIPT.strip().splitlines()
    return coded("\n".join(lines[number % len(lines)] for number in range(utterances)), pace=260, gap=280)
