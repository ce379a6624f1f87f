"""Where a group meets."""

from __future__ import annotations

import pytest

from pipeline.review.meetings.location import LocationError, checked, link


@pytest.mark.parametrize("address", ["https://meet.example.org/peers?pwd=1", "http://192.168.1.5:8080/call"])
def test_an_address_of_a_video_call_is_a_link(address: str) -> None:
    assert checked(address) == link(address) == address


@pytest.mark.parametrize(
    "words", ["", "Room 3, Town Hall", "Room 3: the blue door", "at Ada's", "12:30 in the library"]
)
def test_a_place_in_words_stays_words(words: str) -> None:
    assert checked(words) == words
    assert link(words) == ""


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JavaScript:x",
        "data:text/html,x",
        "https://",
        "https://ada:secret@example.org/",
        "ftp://x",
    ],
)
def test_an_address_that_no_page_may_link_to_is_refused(address: str) -> None:
    with pytest.raises(LocationError, match="https://"):
        checked(address)
    assert link(address) == ""
