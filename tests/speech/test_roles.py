from pathlib import Path

import pytest

from pipeline.errors import SpeechError
from pipeline.settings import project_folder
from pipeline.speech import roles
from pipeline.speech.roles import CUES, RoleModel, Roles
from pipeline.timeline import Span, Turn, Word

SHIPPED = project_folder("models") / "roles"

DIALOGUE = (
    ("A", "So what brings you in today?"),
    ("B", "Well, my doctor sent me. I have been smoking since I was sixteen, and my chest hurts."),
    ("A", "It sounds like you are worried about what it does to you."),
    ("B", "I am. My dad died of it. But I like smoking, I don't know what I would do without it."),
    ("A", "On the one hand it scares you, and on the other hand it helps you to relax. What have you tried?"),
    ("B", "I tried patches. I stopped for a month and then my wife lost her job and I started again."),
)


def spoken(*lines: tuple[str, str], bare: bool = False) -> list[Turn]:
    turns, now = [], 0
    for speaker, text in lines:
        texts = [word.strip(".,?!").lower() if bare else word for word in text.split()]
        words = tuple(
            Word(Span(now + 300 * at, now + 300 * at + 250), word, 1.0, speaker) for at, word in enumerate(texts)
        )
        turns.append(Turn(speaker, words))
        now += 300 * len(texts) + 500
    return turns


@pytest.fixture(scope="module")
def model() -> RoleModel:
    return RoleModel.read(SHIPPED)


def test_a_turn_is_weighed_by_its_terms_within_bounds() -> None:
    model = RoleModel({"you": 1.0, "my": -2.0, "you feel": 4.0}, 0.5, dict.fromkeys(CUES, 0.0))
    assert roles.terms(["you", "feel", "you"]) == ["you", "feel", "you feel", "feel you"]
    assert model.turn_log_odds(["you", "feel", "you feel", "feel you"]) == pytest.approx(5 / 2 + 0.5)
    assert model.turn_log_odds(["my"]) == pytest.approx(-1.5)
    assert model.turn_log_odds([]) == pytest.approx(0.5)
    assert model.turn_log_odds(["you feel"]) == roles.CLEAREST


def test_cues_by_hand() -> None:
    model = RoleModel({"what": 1.0}, 0.0, dict.fromkeys(CUES, 0.0))
    first, second = roles.speaker_profiles(
        spoken(("S1", "Mm-hm."), ("S2", "What helps you?"), ("S1", "I run and I walk.")), model
    )
    assert (first.speaker, first.words, first.questions) == ("S1", 6, 0)
    assert (second.speaker, second.words, second.questions) == ("S2", 3, 1)
    assert second.cues["questions"] == 1
    assert second.cues["opening"] == 1
    assert first.cues["opening"] == 0  # a backchannel opens nothing
    assert second.cues["talk"] == pytest.approx(1 / 3)
    assert second.cues["address"] == pytest.approx(1 / 6)
    assert first.cues["address"] == pytest.approx(-2 / 7)
    assert second.cues["wording"] == pytest.approx(5**-0.5)
    assert second.cues["evidence"] == pytest.approx(5**-0.5)


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("names", [{"A": "S1", "B": "S2"}, {"A": "S2", "B": "S1"}])
def test_the_interviewer_is_found_whatever_the_name(model: RoleModel, names: dict[str, str], bare: bool) -> None:
    decided = roles.decide(spoken(*((names[speaker], text) for speaker, text in DIALOGUE), bare=bare), model)
    assert decided.interviewer == names["A"]
    assert decided.probability > 0.9
    assert decided.role(names["A"]) == "interviewer"
    assert decided.role(names["B"]) == "client"
    assert decided.role("unknown") == "unknown"


def test_the_reasons_have_numbers(model: RoleModel) -> None:
    reasons = roles.decide(spoken(*DIALOGUE), model).reasons
    assert "uses the wording of an interviewer" in reasons
    assert "opens the conversation" in reasons
    assert len(set(reasons)) == len(reasons)
    questions = RoleModel({}, 0.0, dict.fromkeys(CUES, 0.0) | {"questions": 5.0})
    assert roles.decide(spoken(*DIALOGUE), questions).reasons == ("asks 2 of 2 questions",)


def test_the_client_may_open_and_talk_most(model: RoleModel) -> None:
    first = ("B", "I'm late, sorry, my bus did not come and then I had to walk all the way up here in the rain.")
    assert roles.decide(spoken(first, *DIALOGUE[1:]), model).interviewer == "A"


def test_a_third_voice_is_unknown_and_a_ghost_no_candidate(model: RoleModel) -> None:
    decided = roles.decide(spoken(*DIALOGUE, ("C", "How do you feel about that?"), *DIALOGUE), model)
    assert decided.interviewer == "A"
    assert decided.role("B") == "client"
    assert decided.role("C") == "unknown"


@pytest.mark.parametrize("speech", ["I am here.", "How are you? What brings you here? It sounds like you are tired."])
def test_of_one_voice_nothing_is_decided(speech: str, model: RoleModel) -> None:
    alone = roles.decide(spoken(("S1", speech), ("unknown", "And you?")), model)
    assert (alone.interviewer, alone.clients, alone.undecided) == ("", (), "there is only one voice")
    assert [alone.role(speaker) for speaker in ("S1", "unknown", "")] == ["unknown"] * 3


def test_nobody_at_all_is_an_error(model: RoleModel) -> None:
    with pytest.raises(SpeechError, match="TR-P01"):
        roles.decide(spoken(("unknown", "Hello?")), model)


def test_without_a_question_or_with_few_words_the_interviewer_is_not_certain(model: RoleModel) -> None:
    certain = roles.decide(spoken(*DIALOGUE, *DIALOGUE), model)
    assert certain.probability > roles.SURE
    statements = [(speaker, text.replace("?", ".")) for speaker, text in DIALOGUE if "?" not in text]
    for few in (statements * 6, DIALOGUE[:2]):
        thin = roles.decide(spoken(*few), model)
        assert thin.interviewer
        assert thin.probability <= roles.THIN


def test_roles_that_somebody_names_voice_by_voice() -> None:
    named = Roles.named({"S1": "client", "S2": "interviewer", "S3": "client", "S4": "other", "S5": "interviewer"})
    speakers = ("S1", "S2", "S3", "S4", "S5", "S6", "unknown")
    assert [named.role(speaker) for speaker in speakers] == [
        *("client", "interviewer", "client", "other", "interviewer", "unknown", "unknown")
    ]
    assert (named.interviewer, named.probability) == ("S2", 1.0)
    assert Roles.named({"S1": "client"}).role("unknown") == "unknown"


def test_roles_that_a_human_gives() -> None:
    given = Roles.given("S2", ["S1", "S2", "S3", "unknown"])
    assert [given.role(speaker) for speaker in ("S1", "S2", "S3", "unknown")] == [
        "client",
        "interviewer",
        "client",
        "unknown",
    ]
    assert given.probability == 1


@pytest.mark.parametrize("content", [None, "", "{}", '{"words": {}, "bias": "x", "cues": {}}'])
def test_missing_or_damaged_weights_are_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / roles.FILE).write_text(content)
    with pytest.raises(SpeechError, match="TR-P03"):
        RoleModel.read(tmp_path)


def in_language(turn: Turn, language: str) -> Turn:
    return Turn(turn.speaker, tuple(word.in_language(language) for word in turn.words))


def test_what_is_in_another_language_decides_no_role(model: RoleModel) -> None:
    in_english = roles.decide(spoken(*DIALOGUE), model)
    added = [in_language(turn, "es") for turn in spoken(("C", "palabra " * 200), ("A", "hola " * 30))]
    mixed = roles.decide([*spoken(*DIALOGUE), *added], model)
    assert (mixed.interviewer, mixed.probability) == (in_english.interviewer, in_english.probability)
    assert mixed.clients == ("C",)  # of the others, the one who speaks most, in whichever language


def test_without_english_nobody_has_a_role(model: RoleModel) -> None:
    decided = roles.decide([in_language(turn, "es") for turn in spoken(*DIALOGUE)], model)
    assert decided.undecided == roles.NO_ENGLISH
    assert [decided.role(speaker) for speaker in "AB"] == ["unknown", "unknown"]


@pytest.mark.parametrize(("alone", "interviewer"), [("A", "A"), ("B", "A")])
def test_of_a_single_voice_in_english_its_wording_tells_the_role(
    model: RoleModel, alone: str, interviewer: str
) -> None:
    talk = [turn if turn.speaker == alone else in_language(turn, "es") for turn in spoken(*DIALOGUE)]
    decided = roles.decide(talk, model)
    assert decided.interviewer == interviewer
    assert {decided.role(speaker) for speaker in "AB"} == {"interviewer", "client"}
