"""The page of notes by plain forms, and the page that plays a moment."""

from __future__ import annotations

from tests.review.coding.conftest import Table


def test_notes_go_by_plain_forms(table: Table) -> None:
    path, ada = f"/tapes/{table.tape_id}/notes", table.ada.browser
    wrong = ada.post(path, {"text": "He waited", "moment": "9:99"})
    assert wrong.status_code == 422
    assert "9:99” is no moment of this tape" in wrong.text
    assert 'value="He waited"' in wrong.text
    assert ada.post(path, {"text": "He waited, as at 0:40", "moment": "0:05"}).status_code == 303
    page = ada.get(path).text
    assert f'href="/tapes/{table.tape_id}/moment?at=5000">0:05</a>' in page
    assert f'href="/tapes/{table.tape_id}/moment?at=40000">0:40</a>' in page
    note_id = page.split(f'action="{path}/')[1].split("/")[0]
    for other in (table.ben, table.interviewer):
        for verb in ("share", "unshare", "remove"):
            assert other.browser.post(f"{path}/{note_id}/{verb}").status_code == 404
    assert ada.post(f"{path}/{note_id}/remove").status_code == 303
    assert "He waited" not in ada.get(path).text


def test_a_moment_is_played_with_what_is_said_around_it_and_names_stay_masked(table: Table) -> None:
    ivy = table.interviewer.begin()
    word = ivy.state()["utterances"][1]["words"][0]
    ivy.correct("mask", "u0002", {"words": [word["id"]], "on": True})
    page = table.ben.browser.get(f"/tapes/{table.tape_id}/moment?at={word['start'] + 1}").text
    assert f'src="/tapes/{table.tape_id}/sound#t={(word["start"] + 1 - 3000) / 1000}"' in page
    assert '<div class="now" aria-current="true"><dt><span class="time">0:05</span> Client' in page
    assert '<dd class="name">▇▇▇ ' in page
    for browser, status in ((table.stranger.browser, 404), (table.ada.browser, 200)):
        assert browser.get(f"/tapes/{table.tape_id}/moment?at=0").status_code == status
    assert table.ada.browser.get(f"/tapes/{table.tape_id}/moment?at=99999999").status_code == 200


def test_feedback_carries_one_moment_and_says_when_it_is_none(table: Table) -> None:
    path, ivy = f"/tapes/{table.tape_id}/feedback", table.interviewer.browser
    refused = ivy.post(path, {"kind": "strength", "text": "I waited.", "moment": "59:00"})
    assert refused.status_code == 422
    assert "I waited.</textarea>" in refused.text
    assert ivy.post(path, {"kind": "strength", "text": "I waited at 0:40.", "moment": "0:05"}).status_code == 303
    assert ivy.post(path, {"kind": "strength", "text": "And more."}).status_code == 303
    for page in (path, f"/tapes/{table.tape_id}/summary"):
        text = ivy.get(page).text
        assert 'moment?at=5000">0:05</a> <span class="name">I waited at <a class="moment"' in text
        assert '<span class="name">And more.</span>' in text
