import base64
import hashlib
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pandas as pd
import pytest

from pipeline.formats import codebook_files
from pipeline.measures.session.context import change_talk_context, transitions
from pipeline.measures.session.measures import Measure, session_measures
from pipeline.measures.session.readiness import readiness_line
from pipeline.report.render import Note, Passage, ReportData, Speaker, figure, render, spread
from pipeline.timeline import Span, Vocalization, clock
from tests.measures import samples


def data(table: pd.DataFrame | None = None, **changes: object) -> ReportData:
    """The invented session as a report takes it, or another table."""
    table = samples.coded() if table is None else table
    fields: dict[str, object] = {
        "tape_id": "invented",
        "target_behavior": samples.TARGET,
        "source": "walk.wav",
        "start": 60_000,
        "end": 60_000 + (int(table["end"].max()) + 1_000 if len(table) else 0),
        "table": table,
        "measures": session_measures(table, draws=200),
        "context": change_talk_context(table),
        "transitions": transitions(table),
        "trajectory": readiness_line(table, draws=200),
        "codebook": codebook_files.read("pretags"),
        "speakers": (
            Speaker("S1", "interviewer", 0.993, ("asks most of the questions", "opens the session")),
            Speaker("S2", "client", 0.993, ("says “I” more often",)),
        ),
        "warnings": (Note("the recording is quiet; place the microphone closer", Span(12_000, 31_000)),),
        "ghosts": ("S3",),
        "suppressed": (Passage(Span(70_000, 73_000), "Thanks for watching.", "no speech was detected there"),),
        "vocalizations": (Vocalization(Span(64_000, 64_900), "S1"), Vocalization(Span(90_000, 90_300))),
        "provenance": {
            "tape-review": "0.1.0",
            "engines": {"transcriber": {"name": "whisper-base"}},
            "files": ["a", "b"],
        },
    }
    return ReportData(**{**fields, **changes})  # type: ignore[arg-type]


PAYLOADS = (
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "</svg><iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<body onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<math><mtext></mtext><style><img src=x></style></math>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><input name=q></form>",
    "<object data=//evil.example></object>",
    "<embed src=//evil.example>",
    "<!--<img src='--><img src=x onerror=alert(1)>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "{{ 7 * 7 }}{% include 'report.css' %}",
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\x00<script\x00>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
)


class Page(HTMLParser):
    """The elements of a page in order, with what tests ask about."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] != "style":
            self.words.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def hostile(text: str) -> ReportData:
    """A tape on which every free text is the given one."""
    table = samples.coded()
    table["text"] = [f"{text} and more words than a noise" for _ in table["text"]]
    table["speaker"] = text
    table.loc[3, "codes"] = text.replace("|", "")
    return data(
        table,
        tape_id=text,
        target_behavior=text,
        source=text,
        speakers=(Speaker(text, "interviewer", 0.9, (text,)), Speaker(text, "unknown", 0.5)),
        warnings=(Note(text),),
        ghosts=(text,),
        suppressed=(Passage(Span(0, 1_000), text, text),),
        provenance={text: {text: [text, {text: text}]}},
    )


@cache
def harmless() -> Page:
    return Page(render(hostile("harmless")))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_from_a_tape_stays_text(payload: str) -> None:
    page, plain = Page(render(hostile(payload))), harmless()
    assert page.tags == plain.tags
    assert [(tag, name) for tag, name, _ in page.attributes] == [(tag, name) for tag, name, _ in plain.attributes]
    shown = payload.replace("\x00", "�")
    assert page.text.count(" ".join(shown.split())) > 30


def test_the_page_runs_no_script_and_loads_nothing() -> None:
    html = render(data())
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base", "audio", "video"} & set(page.tags)
    assert not [
        name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "srcset", "style", "action")
    ]
    assert all(value.startswith("#") for value in page.values("href"))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html.replace('xmlns="http://www.w3.org/2000/svg"', ""))


def test_its_policy_forbids_scripts_and_remote_loads_and_allows_its_one_style() -> None:
    html = render(data())
    (policy,) = (value for value in Page(html).values("content") if "default-src" in value)
    style = html.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_it_leads_with_what_went_well_and_says_that_tags_are_suggestions() -> None:
    html = render(data())
    page = Page(html)
    order = ["content", "well", "measures", "timeline", "moments", "next", "check", "transcript", "notes", "provenance"]
    assert [value for value in page.values("id") if value in order] == order
    assert html.index("suggestions by a machine") < html.index('id="well"')
    assert page.text.count("In the group:") == 8


def test_it_grades_nobody() -> None:
    words = Page(render(data())).text.lower()
    assert not re.search(
        r"\b(score|rating|poor|weak|fail\w*|bad|insufficient|excellent|competen\w+|grade[sd])\b", words
    )
    assert "nothing here is a grade" in words


def test_it_is_built_for_every_reader() -> None:
    page = Page(render(data()))
    assert ("html", "lang", "en-US") in page.attributes
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.tags.count("table") == page.tags.count("caption") == 6
    assert [value for tag, name, value in page.attributes if tag == "th" and name == "scope"].count("col") > 10
    assert page.tags.count("th") == len([1 for tag, name, _ in page.attributes if tag == "th" and name == "scope"])
    named = [
        value
        for tag, name, value in page.attributes
        if tag == "svg" and name in ("aria-label", "aria-labelledby", "aria-hidden")
    ]
    assert page.tags.count("svg") == len(named)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in page.values("href") if value != "#"} <= set(ids)
    for name in ("aria-labelledby",):
        assert {part for value in page.values(name) for part in value.split()} <= set(ids)
    assert page.values("class")[0] == "skip"


def test_colors_stand_out_from_the_paper() -> None:
    css = render(data()).split("<style>")[1].split("</style>")[0]
    colors = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", css))

    def light(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name in (
        "ink",
        "soft",
        "accent",
        "question",
        "reflection",
        "information",
        "affirmation",
        "summary",
        "change",
        "sustain",
        "other",
    ):
        for ground in ("paper", "card", "wash"):
            assert (light(colors[ground]) + 0.05) / (light(colors[name]) + 0.05) >= 4.5, (name, ground)
    # Bars of talk: pictures need 3 to 1, and lanes with labels say the same.
    assert (light(colors["card"]) + 0.05) / (light(colors["interviewer"]) + 0.05) >= 3


def test_the_head_says_what_and_who() -> None:
    words = Page(render(data())).text
    assert "Segment 1:00 to 4:36 of walk.wav , 3:36 minutes" in words
    assert "Voice S1 , 99% sure (asks most of the questions; opens the session)" in words
    assert "0:12 to 0:31 : the recording is quiet; place the microphone closer" in words
    assert "Another voice, S3 , is so brief, or so much like another one, that" in words


def test_without_a_target_it_asks_for_one() -> None:
    words = Page(render(data(target_behavior="", speakers=()))).text
    assert "Not named. Change talk is about a target behavior" in words
    assert "Who is who Not decided" in words


def test_a_moment_shows_what_came_before_and_after() -> None:
    words = Page(render(data())).text
    start = words.index("Interviewer, before: What would be different for you if you did move more?")
    moment = words[start : start + 400]
    assert re.search(r"1:01 \+ Change talk I guess I would sleep better\. 1:04 \+ Change talk And I'd like", moment)
    assert "Interviewer, after: You want to be the grandfather who runs along" in moment


def test_uncertain_tags_and_listening_and_unclear_sounds_are_marked() -> None:
    words = Page(render(data())).text
    assert "Ha, I suppose I have. + Change talk ? (to be checked)" in words
    assert words.count("Mm-hm. (listening)") == 2
    assert "1:04 Interviewer Unclear sound, 0.9 s." in words
    assert "1:30 Someone Unclear sound, 0.3 s." in words
    assert "1:10 to 1:13 Thanks for watching. no speech was detected there" in words


def test_the_likeliest_mistakes_come_first() -> None:
    words = Page(render(data())).text.split("What to check first")[-1]
    assert (
        words.index("Ha, I suppose I have.")
        < words.index("Hm, I don't know.")
        < words.index("Yeah, and I was nicer at home")
    )
    assert "neither change nor sustain talk (49%)" in words


def test_codes_of_another_codebook_keep_their_names_and_letters() -> None:
    table = samples.table(("I", "affirmation|reflection"), ("C", ""), start=[0, 2_000], end=[1_500, 3_000])
    words = Page(render(data(table, codebook=codebook_files.read("oars")))).text
    assert "A Affirmation" in words
    assert "R Reflection" in words


@pytest.mark.parametrize(
    "script",
    [
        "",
        "U - .50 Hello?",
        "C change .60 I will.",
        "I question_open .90 How are you?",
        "I reflection_simple .90 You are well.\nI reflection_simple .90 You are here.",
        "I information .90 This is it.\nC neutral .90 Okay then.",
        "I other .90 Mm-hm.",
    ],
)
def test_sparse_tapes_make_a_page_too(script: str) -> None:
    words = Page(render(data(samples.coded(script), vocalizations=(), suppressed=(), provenance={}))).text
    assert "Undefined: " in words
    assert "Nothing was left out" in words
    assert "None" not in words
    assert "nan" not in words.lower().split()


def test_twenty_minutes_stay_small() -> None:
    html = render(data(samples.long_session()))
    assert len(html.encode()) < 1_500_000
    assert html.count('class="picture band"') == 4


def test_characters_that_no_file_can_hold_are_replaced() -> None:
    html = render(data(target_behavior="walk\udcff\x07\ufffe"))
    assert "walk���" in html.encode("utf-8").decode()


def test_rendering_changes_nothing_and_repeats_itself() -> None:
    tape = data()
    before = tape.table.copy(deep=True)
    assert render(tape) == render(tape)
    pd.testing.assert_frame_equal(tape.table, before)


def test_figures_in_words() -> None:
    ratio = Measure("", "", "ratio", 1.25, 5, 4, 1, None)
    share = Measure("", "", "percent", 41.7, 5, 12, 16.7, 58.3)
    assert [figure(ratio), spread(ratio)] == ["1.2", "1 or more"]
    assert [figure(share), spread(share)] == ["42%", "17% to 58%"]
    assert figure(Measure("", "", "ratio", None, 5, 0, undefined="5 reflections, 0 questions")) == (
        "undefined (5 reflections, 0 questions)"
    )
    assert spread(Measure("", "", "count", 2, 2, None, 2, 2)) == "2"
    assert [clock(time) for time in (0, 59_999, 60_000, 3_661_000, -5)] == ["0:00", "0:59", "1:00", "1:01:01", "0:00"]


def test_an_utterance_that_is_change_and_sustain_talk_stands_in_its_moment_once() -> None:
    table = samples.coded("I question_open .9 What would help?\nC change|sustain .8 I could, but I will not.")
    words = Page(render(data(table))).text.split("in context")[-1].split("What follows what")[0]
    assert words.count("I could, but I will not.") == 1
    assert re.search(r"\+ Change talk . Sustain talk I could, but", words)


def test_a_voice_without_a_role_has_no_share_of_the_talk_time() -> None:
    table = samples.coded("I other .9 One two.\nC neutral .9 One two.\nU - .9 One two three.")
    words = Page(render(data(table))).text
    assert "1 without a role, which no figure includes" in words
    talk = words.split("Talk time")[1].split("Counts")[0]
    assert re.findall(r"\w+: \d+%", talk) == ["Interviewer: 50%", "Client: 50%"]
    assert "Without a role, not in any figure: 0:00" in talk
