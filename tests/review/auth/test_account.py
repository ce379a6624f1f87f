"""The account page: password and second step are changed by their owner alone."""

from __future__ import annotations

import pyotp
import pytest

from pipeline.review.auth import limits
from pipeline.tapes.clock import MINUTE
from pipeline.tapes.db.records import Person
from tests.review.auth.test_login import enrolling, stored_secret
from tests.review.conftest import PASSWORD, Room


def test_changing_the_password_signs_out_everywhere_else(room: Room) -> None:
    ada = room.person("Ada")
    here, there = room.signed_in(ada), room.signed_in(ada)
    new = "nine yellow submarines"
    form = {"current": "wrong", "password": new, "again": new}
    assert here.post("/account/password", form).status_code == 422
    assert here.post("/account/password", form | {"current": PASSWORD}).status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_a_new_authenticator_needs_the_password_and_signs_out_everywhere_else(room: Room) -> None:
    """Else whoever finds a browser unattended could lock its owner out."""
    ada = room.person("Ada")
    here, there = room.signed_in(ada), room.signed_in(ada)
    form = enrolling(room, here)
    for wrong in ({}, {"current": ""}, {"current": "wrong"}):
        refused = here.post("/account/second-step", form | wrong)
        assert refused.status_code == 422
        assert "The current password is wrong." in refused.text
        assert f'value="{form["secret"]}"' in refused.text  # the app has read this one
    assert stored_secret(room, ada) == ""
    assert here.post("/account/second-step", form | {"current": PASSWORD, "code": "x"}).status_code == 401
    assert there.get("/account").status_code == 200
    done = here.post("/account/second-step", form | {"current": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, "/account?note=second-factor")
    assert stored_secret(room, ada) == form["secret"]
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_who_has_no_password_shows_the_current_authenticator_s_code_for_a_new_one(room: Room) -> None:
    ada = room.person("Ada")
    with room.home.database.writing() as database:
        database.get_one(Person, ada).password_hash = None
    here = room.signed_in(ada)
    first = enrolling(room, here)
    assert 'name="current"' not in here.get("/account/second-step").text  # there is nothing to ask for
    assert here.post("/account/second-step", first).status_code == 303
    room.clock.advance(MINUTE)
    here = room.signed_in(ada)
    second, present = enrolling(room, here), pyotp.TOTP(str(first["secret"])).at(room.clock() // 1000)
    assert "current authenticator" in here.get("/account/second-step").text
    for wrong in ({}, {"current": second["code"]}):
        assert here.post("/account/second-step", second | wrong).status_code == 422
    assert stored_secret(room, ada) == first["secret"]
    assert here.post("/account/second-step", second | {"current": present}).status_code == 303
    assert stored_secret(room, ada) == second["secret"]


@pytest.mark.parametrize("path", ["/account/password", "/account/second-step", "/account/second-step/remove"])
def test_the_current_password_cannot_be_guessed(room: Room, path: str) -> None:
    here = room.signed_in(room.person("Ada"))
    new = "nine yellow submarines"
    form = {"current": "wrong", "password": new, "again": new, "secret": "A" * 32, "code": "x"}
    for _ in range(limits.PASSWORD.from_origin):
        assert here.post(path, form).status_code == 422
    refused = here.post(path, form | {"current": PASSWORD})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    other = room.signed_in(room.person("Ben"))
    form["code"] = pyotp.TOTP("A" * 32).at(room.clock() // 1000)
    assert other.post(path, form | {"current": PASSWORD}).status_code == 303
