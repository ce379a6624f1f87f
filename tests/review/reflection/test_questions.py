"""What the interviewer is asked."""

from __future__ import annotations

from pipeline.review.reflection import questions


def test_the_two_forms_ask_what_they_should() -> None:
    assert len(questions.REVIEW) == 8
    assert len([point for point in questions.APPRAISAL if not point.text.startswith("Spirit")]) == 12
    assert len([point for point in questions.APPRAISAL if point.text.startswith("Spirit")]) == 4  # the thirteenth
    assert questions.SCALE == (0, 1, 2, 3, 4, 5)


def test_every_question_is_asked_on_one_screen() -> None:
    for rated, asked in ((False, questions.REVIEW), (True, questions.APPRAISAL)):
        names = [name for screen in questions.SCREENS if screen.rated == rated for name in screen.names]
        assert names == [question.name for question in asked]
    assert max(len(screen.names) for screen in questions.SCREENS) == 4
