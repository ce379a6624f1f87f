"""How others get to a room."""

from __future__ import annotations

import pytest

from pipeline.errors import ReviewError
from pipeline.review.network.reach import Reach, origin, own_origins, qr_text, require_encrypted, stays_here


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8787", "http://127.1.2.3", "http://localhost", "http://[::1]:8787", "https://a.org"]
)
def test_what_stays_here_or_is_encrypted_is_taken(address: str) -> None:
    require_encrypted(address)


@pytest.mark.parametrize(
    "address", ["http://a.org", "http://192.168.1.5:8787", "http://localhost.evil.org", "http://0.0.0.0"]
)
def test_what_others_could_read_on_its_way_is_refused(address: str) -> None:
    with pytest.raises(ReviewError, match="TR-R11"):
        require_encrypted(address)


def test_addresses_are_written_as_browsers_write_them() -> None:
    assert origin("https", "fd00::2", 8787) == "https://[fd00::2]:8787"
    assert origin("https", "ada.local", 443) == "https://ada.local"
    assert own_origins("https://192.168.1.5:8787", ["ada.local", "fd00::2"]) == {
        "https://192.168.1.5:8787",
        "https://ada.local:8787",
        "https://[fd00::2]:8787",
    }
    assert own_origins("http://127.0.0.1:8787") == {"http://127.0.0.1:8787", "http://localhost:8787"}
    assert not stays_here("https://ada.local:8787")


def test_there_is_a_page_for_the_certificate_only_where_others_need_it() -> None:
    assert Reach("https://ada.local:1", fingerprint="AA").certificate_page == "https://ada.local:1/certificate"
    assert Reach("https://review.example.org").certificate_page == ""
    assert Reach(fingerprint="AA").certificate_page == ""


def test_a_picture_in_the_terminal_is_as_wide_as_it_is_high() -> None:
    lines = qr_text("https://192.168.1.5:8787/certificate").splitlines()
    assert len({len(line) for line in lines if line.strip()}) == 1
    assert abs(len(lines) * 2 - len(lines[1])) <= 3  # two rows of squares in a line of text
