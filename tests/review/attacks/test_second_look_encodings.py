"""A form whose sender chooses an encoding: one that takes half a minute, or gives halves of characters."""

from __future__ import annotations

import pytest

from tests.review.conftest import Browser, Room

UTF8 = ("", "; charset=utf-8", '; charset="UTF-8"', "; charset=utf8")
OTHERS = ("unicode_escape", "raw_unicode_escape", "utf-7", "utf-16", "punycode", "idna", "undefined", "rot13", "none")


def send(browser: Browser, path: str, encoding: str, **fields: bytes):
    part = b'--XX\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    body = b"".join(part % (name.encode(), value) for name, value in fields.items()) + b"--XX--\r\n"
    return browser.client.post(
        path, content=body, headers={"Content-Type": f"multipart/form-data; boundary=XX{encoding}"}
    )


@pytest.mark.parametrize("encoding", OTHERS)
@pytest.mark.parametrize("field", ["csrf", "email", "password"])
def test_a_stranger_chooses_no_encoding(room: Room, encoding: str, field: str) -> None:
    browser = room.browser()
    fields = {"csrf": browser.token().encode(), "email": b"ada@example.org", "password": b"x"} | {field: rb"\ud800"}
    assert send(browser, "/login", f"; charset={encoding}", **fields).status_code == 415


@pytest.mark.parametrize("encoding", ["punycode", "PUNYCODE", '"punycode"'])
def test_no_form_of_a_member_takes_the_room_s_time(room: Room, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = room.signed_in(room.person("Ada", room.group()))
    decoded: list[str] = []
    monkeypatch.setattr("starlette.formparsers._user_safe_decode", lambda _, codec: decoded.append(codec) or "")
    token = ada.token("/account").encode()
    answer = send(ada, "/account/notices", f"; charset={encoding}", csrf=token, x=b"a" * 9 + b"-" + b"a" * 9)
    assert (answer.status_code, decoded) == (415, [])


@pytest.mark.parametrize("encoding", UTF8)
def test_utf_8_is_what_our_pages_send(room: Room, encoding: str) -> None:
    room.person("Ada")
    browser = room.browser()
    fields = {"email": b"ada@example.org", "password": "schön".encode()}
    answer = send(browser, "/login", encoding, csrf=browser.token().encode(), **fields)
    assert answer.status_code == 401
