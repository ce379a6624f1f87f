"""A stranger who guesses is slowed down, whichever address he says that he has; the member comes in meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

import pyotp
import pytest
from fastapi.testclient import TestClient

from pipeline import settings
from pipeline.errors import SettingsError
from pipeline.review import app as application
from pipeline.review.auth import cookies, credentials, limits, request_origin
from pipeline.tapes.clock import DAY, MINUTE
from pipeline.tapes.db.records import LoginAttempt, Person
from tests.review.conftest import PASSWORD, QUICK, Browser, Room

HOME, OFFICE, STRANGER, PROXY = "192.0.2.1", "192.0.2.2", "203.0.113.9", "10.0.0.1"


def guessing(
    room: Room, browser: Browser, times: int, email: str = "ada@example.org", addresses: Iterable[str] = ()
) -> list[int]:
    """The answers to wrong passwords, sent as fast as it goes."""
    form, senders = {"csrf": browser.token("/login"), "email": email, "password": "wrong"}, iter(addresses)
    return [
        browser.client.post("/login", data=form, headers={"X-Forwarded-For": next(senders, STRANGER)}).status_code
        for _ in range(times)
    ]


def browser(room: Room, address: str) -> Browser:
    made = Browser(room.app)
    made.client = TestClient(
        room.app,
        base_url=made.client.base_url,
        raise_server_exceptions=False,
        follow_redirects=False,
        headers={"accept": "text/html"},
        client=(address, 50_000),
    )
    made.client.portal = Browser.portal
    return made


def signing_in(browser: Browser, email: str = "ada@example.org"):
    return browser.post("/login", {"email": email, "password": PASSWORD}, page="/login")


def test_wrong_guesses_from_elsewhere_do_not_keep_a_member_out(room: Room) -> None:
    room.person("Ada")
    assert set(guessing(room, browser(room, STRANGER), 40)) == {401, 429}
    assert signing_in(browser(room, HOME)).status_code == 303


def test_ten_wrong_guesses_from_the_same_address_do_not_either(room: Room) -> None:
    """Behind one router, or a proxy that the settings do not name, everybody has one address."""
    room.person("Ada")
    assert guessing(room, browser(room, HOME), 10) == [401] * 10
    assert signing_in(browser(room, HOME)).status_code == 303


@pytest.mark.parametrize("known", ["device", "address"])
def test_who_signed_in_from_there_before_is_not_hindered_by_however_many_strangers(room: Room, known: str) -> None:
    room.person("Ada")
    ada = browser(room, HOME)
    assert signing_in(ada).status_code == 303
    ada.post("/logout")
    for number in range(80):  # as many addresses, and a guess from each
        guessing(room, browser(room, f"203.0.113.{number}"), 1)
    assert guessing(room, browser(room, STRANGER), 1) == [429]
    if known == "device":
        assert set(guessing(room, browser(room, HOME), 80, "x@example.org")) == {401, 429}
        mine = browser(room, HOME)
        mine.client.cookies.set(cookies.DEVICE, ada.client.cookies[cookies.DEVICE])
    else:
        mine = browser(room, HOME)
    assert signing_in(mine).status_code == 303


def test_a_place_is_known_only_once_everything_that_is_asked_was_right(room: Room) -> None:
    ada = room.person("Ada", is_admin=True)
    secret = pyotp.random_base32()
    with room.home.database.writing() as database:
        database.get_one(Person, ada).totp_secret = credentials.closed(room.home, secret)
    half = browser(room, HOME)
    assert signing_in(half).headers["location"].startswith("/login/code")
    assert cookies.DEVICE not in half.client.cookies
    code = pyotp.TOTP(secret).at(room.clock() // 1000)
    half.post("/login/code", {"code": code}, page="/login/code")
    assert cookies.DEVICE in half.client.cookies


def test_a_device_is_its_owner_s_alone_and_no_key_to_anything(room: Room) -> None:
    room.person("Ada")
    room.person("Eve")
    eve = browser(room, STRANGER)
    signing_in(eve, "eve@example.org")
    token = eve.client.cookies[cookies.DEVICE]
    thief = browser(room, STRANGER)
    thief.client.cookies.set(cookies.DEVICE, token)
    here = limits.PASSWORD.from_origin
    assert guessing(room, thief, here + 1) == [401] * here + [429]
    assert guessing(room, thief, here + 1, "eve@example.org") == [401] * here + [429]
    assert thief.get("/account").status_code == 303


@pytest.mark.parametrize(
    ("failures", "wait"), [(11, 0), (12, 1), (13, 2), (14, 4), (17, 32), (18, 60), (19, 60), (40, 60)]
)
def test_each_wrong_guess_makes_the_next_wait_twice_as_long_up_to_a_minute(
    room: Room, failures: int, wait: int
) -> None:
    room.person("Ada")
    eve = browser(room, STRANGER)
    for _ in range(failures):
        room.clock.advance(MINUTE)
        assert guessing(room, eve, 1) == [401]
    answer = signing_in(eve)
    assert answer.headers.get("retry-after", "0") == str(wait)
    assert answer.status_code == (429 if wait else 303)
    if wait:
        assert f"Wait {wait} second{'s' * (wait > 1)}, then try again." in answer.text
        assert 'value="ada@example.org"' in answer.text  # what was typed is still there
        room.clock.advance(1000 * wait - 1)
        assert signing_in(eve).status_code == 429
        room.clock.advance(1)
        assert signing_in(eve).status_code == 303


def test_a_guess_that_comes_too_early_is_not_looked_at_and_does_not_count(room: Room) -> None:
    room.person("Ada")
    eve = browser(room, STRANGER)
    guessing(room, eve, limits.PASSWORD.from_origin + 30)
    room.clock.advance(1000)
    assert signing_in(eve).status_code == 303


def test_who_came_in_begins_anew_there_and_failures_are_forgotten_after_a_day(room: Room) -> None:
    room.person("Ada")
    eve, here = browser(room, STRANGER), limits.PASSWORD.from_origin
    assert guessing(room, eve, here) == [401] * here
    room.clock.advance(DAY - 1)
    assert guessing(room, eve, 1) == [401]
    room.clock.advance(1)
    assert guessing(room, eve, here) == [401] * (here - 1) + [429]
    room.clock.advance(MINUTE)
    assert signing_in(eve).status_code == 303
    other = browser(room, STRANGER)
    assert guessing(room, other, here + 1) == [401] * here + [429]


def test_many_accounts_from_one_address_and_one_account_from_many_are_slowed_down(room: Room) -> None:
    eve, most = browser(room, STRANGER), limits.PASSWORD.from_address
    sprayed = [guessing(room, eve, 1, f"{number}@example.org")[0] for number in range(most + 1)]
    assert sprayed == [401] * most + [429]
    most = limits.PASSWORD.from_strangers
    spread = [guessing(room, browser(room, f"198.51.{number}.1"), 1)[0] for number in range(most + 1)]
    assert spread == [401] * most + [429]


def test_an_account_that_does_not_exist_is_slowed_down_like_one_that_does(room: Room) -> None:
    room.person("Ada")
    seen = [guessing(room, browser(room, HOME), 15, email) for email in ("ada@example.org", "nobody@example.org")]
    assert seen[0] == seen[1]


def test_one_network_of_a_provider_is_one_address(room: Room) -> None:
    here = limits.PASSWORD.from_origin
    seen = [guessing(room, browser(room, f"2001:db8:1:2::{number:x}"), 1)[0] for number in range(here + 1)]
    assert seen == [401] * here + [429]
    assert guessing(room, browser(room, "2001:db8:1:3::1"), 1) == [401]
    assert guessing(room, browser(room, "::ffff:192.0.2.7"), here) == [401] * here
    assert guessing(room, browser(room, "192.0.2.7"), 1) == [429]


@pytest.mark.parametrize("address", ["127.0.0.1", PROXY])
def test_nobody_says_by_a_header_that_he_is_somebody_else(room: Room, address: str) -> None:
    addresses = [f"192.0.2.{number}" for number in range(30)]
    here = limits.PASSWORD.from_origin
    assert guessing(room, browser(room, address), here + 1, addresses=addresses) == [401] * here + [429]


def test_a_proxy_that_the_settings_name_says_who_sends(room: Room) -> None:
    loaded = settings.load().settings
    review = loaded.review.model_copy(update={"trusted_proxies": (PROXY,)})
    trusting = loaded.model_copy(update={"review": review})
    room.app = application.create(room.home, trusting, clock=room.clock, passwords=QUICK)
    room.person("Ada")
    here = limits.PASSWORD.from_origin
    # Behind the proxy the last address is the one that it saw; what a sender wrote before that counts for nothing.
    addresses = [f"192.0.2.{number}, {STRANGER}" for number in range(here + 1)]
    assert guessing(room, browser(room, PROXY), here + 1, addresses=addresses) == [401] * here + [429]
    assert guessing(room, browser(room, PROXY), 1, addresses=[HOME]) == [401]
    assert guessing(room, browser(room, STRANGER), 1, addresses=[OFFICE]) == [429]  # not through the proxy


@pytest.mark.parametrize("wrong", ["*", "example.org", "10.0.0.1/8"])
def test_a_proxy_is_named_by_its_address(tmp_path, wrong: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'[review]\ntrusted_proxies = ["{wrong}"]')
    with pytest.raises(SettingsError, match="TR-S03 setting 'review.trusted_proxies.0'"):
        settings.load(files=[path])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", ()),
        ("127.0.0.1", ("127.0.0.1",)),
        ("127.0.0.1, 10.1.0.0/16", ("127.0.0.1", "10.1.0.0/16")),
        ('["::1", "10.0.0.1"]', ("::1", "10.0.0.1")),
    ],
)
def test_proxies_are_named_in_the_environment_too(
    monkeypatch: pytest.MonkeyPatch, text: str, named: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TAPE_REVIEW_REVIEW__TRUSTED_PROXIES", text)
    assert settings.load().settings.review.trusted_proxies == named


def test_counts_hold_in_a_second_process_and_after_a_restart(room: Room) -> None:
    room.person("Ada")
    here = limits.PASSWORD.from_origin
    assert guessing(room, browser(room, STRANGER), here - 1) == [401] * (here - 1)
    other = Room(room.home, room.clock)
    assert guessing(other, browser(other, STRANGER), 2) == [401, 429]


def test_a_clock_that_is_set_back_keeps_nobody_waiting(room: Room) -> None:
    room.person("Ada")
    eve = browser(room, STRANGER)
    room.clock.advance(7 * DAY)
    guessing(room, eve, limits.PASSWORD.from_origin + 5)
    room.clock.advance(-7 * DAY)
    assert signing_in(eve).status_code == 303


def test_whoever_has_the_password_guesses_few_codes_and_the_owner_goes_on(room: Room) -> None:
    ada, secret = room.person("Ada", is_admin=True), pyotp.random_base32()
    with room.home.database.writing() as database:
        database.get_one(Person, ada).totp_secret = credentials.closed(room.home, secret)
    mine = browser(room, HOME)
    signing_in(mine)
    mine.post("/login/code", {"code": pyotp.TOTP(secret).at(room.clock() // 1000)}, page="/login/code")
    mine.post("/logout")

    eve = browser(room, STRANGER)
    signing_in(eve)
    looked_at = 0
    for _ in range(60):  # a guess each minute for an hour, as sessions that wait for a code last
        room.clock.advance(MINUTE)
        signing_in(eve)
        looked_at += eve.post("/login/code", {"code": "1"}, page="/login/code").status_code == 401
    assert limits.CODE.from_origin <= looked_at <= limits.CODE.from_origin + 12
    signing_in(mine)
    code = pyotp.TOTP(secret).at(room.clock() // 1000)
    assert mine.post("/login/code", {"code": code}, page="/login/code").status_code == 303


def test_places_and_counts_are_kept_as_hashes_and_not_for_ever(room: Room) -> None:
    room.person("Ada")
    ada = browser(room, HOME)
    signing_in(ada)
    guessing(room, browser(room, STRANGER), 3)
    with room.home.database.reading() as database:
        kept = " ".join(str(row.__dict__) for row in database.query(LoginAttempt))
        known = request_origin.knows_device(
            database, "ada@example.org", request_origin.Origin(HOME, device(ada)), room.clock()
        )
    assert known
    assert STRANGER not in kept
    assert "ada@" not in kept
    room.clock.advance(request_origin.KEPT)
    with room.home.database.reading() as database:
        assert not request_origin.knows_address(
            database, "ada@example.org", request_origin.Origin(HOME, ""), room.clock()
        )
        assert not request_origin.knows_device(
            database, "ada@example.org", request_origin.Origin(HOME, device(ada)), room.clock()
        )


def device(browser: Browser) -> str:
    return str(browser.client.cookies[cookies.DEVICE])


def test_the_cookie_of_a_device_is_out_of_reach_of_scripts_and_neighbors(room: Room) -> None:
    room.person("Ada")
    ada = browser(room, HOME)
    form = {"csrf": ada.token("/login"), "email": "ada@example.org", "password": PASSWORD}
    room.app.state.context.https = True
    ada.client.cookies.set(f"__Host-{cookies.GUEST}", ada.client.cookies[cookies.GUEST])
    given = ada.client.post("/login", data=form).headers.get_list("set-cookie")
    [cookie] = [each for each in given if cookies.DEVICE in each]
    assert cookie.startswith(f"__Host-{cookies.DEVICE}=")
    for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax", f"Max-Age={180 * 24 * 3600}"):
        assert part in cookie
