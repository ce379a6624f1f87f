"""Sessions by themselves: to the millisecond, and in the table."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.errors import TapesError
from pipeline.review.auth.credentials import token_hash
from pipeline.review.auth.sessions import Sessions
from pipeline.tapes.clock import HOUR, MINUTE, SECOND
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import AuditRow, Membership, Notice, Person, WebSession
from tests.review.conftest import Room

IDLE, AGE = 15 * MINUTE, 12 * HOUR


@pytest.fixture
def sessions(room: Room) -> Sessions:
    return Sessions(room.home, room.app.state.context.settings.review)


def stored(room: Room) -> dict[str, WebSession]:
    with room.home.database.reading() as database:
        return {row.token_hash: row for row in database.scalars(select(WebSession))}


def moved(room: Room, token: str, created: int, seen: int) -> None:
    with room.home.database.writing() as database:
        session = database.get_one(WebSession, token_hash(token))
        session.created_at, session.seen_at = created, seen


@pytest.mark.parametrize(
    ("age", "idle", "lives"),
    [(0, IDLE - 1, True), (0, IDLE, False), (AGE - 1, 0, True), (AGE, 0, False), (AGE - 1, IDLE - 1, True)],
)
def test_a_session_lives_up_to_its_limits_and_is_swept_at_the_next_sign_in(
    room: Room, sessions: Sessions, age: int, idle: int, lives: bool
) -> None:
    ada, ben, now = room.person("Ada"), room.person("Ben"), room.clock()
    token, unasked = (sessions.start(ada, now, second_factor=False) for _ in range(2))
    for each in (token, unasked):
        moved(room, each, now - age, now - idle)
    assert (sessions.find(token, now, attended=False) is not None) is lives
    assert len(sessions.of(ada, now)) == (2 if lives else 0)
    assert stored(room).keys() == {token_hash(unasked)} | ({token_hash(token)} if lives else set())
    other = sessions.start(ben, now, second_factor=False)
    assert stored(room).keys() == {token_hash(other)} | ({token_hash(token), token_hash(unasked)} if lives else set())


@pytest.mark.parametrize(
    ("pause", "attended", "noted"),
    [(30 * SECOND - 1, True, False), (30 * SECOND, True, True), (5 * MINUTE, True, True), (5 * MINUTE, False, False)],
)
def test_being_seen_is_noted_every_half_minute(
    room: Room, sessions: Sessions, pause: int, attended: bool, noted: bool
) -> None:
    ada, now = room.person("Ada"), room.clock()
    token, other = (sessions.start(ada, now, second_factor=False) for _ in range(2))
    assert sessions.find(token, now + pause, attended)
    rows = stored(room)
    assert rows[token_hash(token)].seen_at == (now + pause if noted else now)
    assert rows[token_hash(other)].seen_at == now


def test_who_asks_without_a_word_is_attended(room: Room, sessions: Sessions) -> None:
    token, now = sessions.start(room.person("Ada"), room.clock(), second_factor=False), room.clock()
    assert sessions.find(token, now + MINUTE)
    assert stored(room)[token_hash(token)].seen_at == now + MINUTE


def test_the_session_of_somebody_disabled_finds_nobody_else(room: Room, sessions: Sessions) -> None:
    first, *_ = sorted(room.person(name) for name in ("Ada", "Ben", "Cleo"))
    token, now = sessions.start(first, room.clock(), second_factor=False), room.clock()
    with room.home.database.writing() as database:
        database.get_one(Person, first).disabled_at = now
    assert sessions.find(token, now) is None


@pytest.mark.parametrize(("age", "idle"), [(0, IDLE + 1), (AGE + 1, 0)])
def test_a_session_that_is_long_over_is_swept_though_nobody_presents_it(
    room: Room, sessions: Sessions, age: int, idle: int
) -> None:
    ada, now = room.person("Ada"), room.clock()
    token = sessions.start(ada, now, second_factor=False)
    moved(room, token, now - age, now - idle)
    other = sessions.start(room.person("Ben"), now, second_factor=False)
    assert stored(room).keys() == {token_hash(other)}


def test_a_new_session_takes_the_place_of_the_browser_s_own_alone(room: Room, sessions: Sessions) -> None:
    ada, now = room.person("Ada"), room.clock()
    first, second = (sessions.start(ada, now, second_factor=False) for _ in range(2))
    third = sessions.start(ada, now, second_factor=True, before=first, source="192.0.2.7", device="Firefox on Linux")
    rows = stored(room)
    assert rows.keys() == {token_hash(second), token_hash(third)}
    row = rows[token_hash(third)]
    assert (row.person_id, row.created_at, row.seen_at, row.second_factor) == (ada, now, now, True)
    assert (row.source, row.device) == ("192.0.2.7", "Firefox on Linux")
    assert (rows[token_hash(second)].source, rows[token_hash(second)].device) == ("", "")  # nothing is made up
    assert len({first, second, third}) == 3
    assert len({each.csrf for each in rows.values()} | {each.id for each in rows.values()}) == 4


@pytest.mark.parametrize("deed", ["replaced", "ended", "ended by its id", "over"])
def test_of_many_sessions_one_alone_ends(room: Room, sessions: Sessions, deed: str) -> None:
    """Whatever the order of hashes and ids: with some before and some after it."""
    ada, now = room.person("Ada"), room.clock()
    many = [sessions.start(ada, now, second_factor=False) for _ in range(5)]
    rows = stored(room)
    many.sort(key=lambda token: rows[token_hash(token)].id if deed == "ended by its id" else token_hash(token))
    kept = [*many[:2], *many[3:]]
    if deed == "replaced":
        kept.append(sessions.start(ada, now, second_factor=False, before=many[2]))
    elif deed == "ended":
        sessions.end(many[2], now)
    elif deed == "ended by its id":
        assert sessions.end_one(ada, rows[token_hash(many[2])].id, now)
    else:
        moved(room, many[2], now - AGE, now)
        assert sessions.find(many[2], now) is None
    assert stored(room).keys() == {token_hash(token) for token in kept}


def test_nobody_ends_the_session_of_somebody_else(room: Room, sessions: Sessions) -> None:
    people = [room.person(name) for name in ("Ada", "Ben")]
    for person in people:
        sessions.start(person, room.clock(), second_factor=False)
    for row in stored(room).values():
        for person in people:
            if person != row.person_id:
                assert not sessions.end_one(person, row.id, room.clock())
    assert len(stored(room)) == 2


@pytest.mark.parametrize("passed", [False, True])
@pytest.mark.parametrize("enrolled", [False, True])
@pytest.mark.parametrize("right", ["", "administrator", "coach", "another's coach", "member"])
def test_what_a_session_lacks(room: Room, sessions: Sessions, passed: bool, enrolled: bool, right: str) -> None:
    group, now = room.group(), room.clock()
    ada, kim = room.person("Ada", is_admin=right == "administrator"), room.person("Kim")
    if right in ("coach", "another's coach", "member"):
        who, role = (kim if right == "another's coach" else ada), ("member" if right == "member" else "coach")
        with room.home.database.writing() as database:
            database.add(Membership(group_id=group, person_id=who, role=role, since=now))  # type: ignore[arg-type]
    with room.home.database.writing() as database:
        database.get_one(Person, ada).totp_secret = "x" if enrolled else None
    viewer = sessions.find(sessions.start(ada, now, second_factor=passed), now)
    assert viewer is not None
    must = right in ("administrator", "coach")
    assert viewer.step == ("" if passed else "code" if enrolled else "enroll" if must else "")
    assert (viewer.must_have_code, viewer.second_factor, viewer.is_admin) == (must, passed, right == "administrator")
    assert (viewer.person_id, viewer.name, viewer.email) == (ada, "Ada", "ada@example.org")
    row = next(iter(stored(room).values()))
    assert (viewer.csrf, viewer.session_id, viewer.has_news) == (row.csrf, row.id, False)


@pytest.mark.parametrize(("to", "seen", "news"), [("Ada", None, True), ("Ada", 5, False), ("Kim", None, False)])
def test_news_are_for_whom_they_are_for_until_they_were_read(
    room: Room, sessions: Sessions, to: str, seen: int | None, news: bool
) -> None:
    people = {name: room.person(name) for name in ("Ada", "Kim")}
    with room.home.database.writing() as database:
        database.add(Notice(person_id=people[to], at=1, kind="link-made", seen_at=seen))
    viewer = sessions.find(sessions.start(people["Ada"], room.clock(), second_factor=False), room.clock())
    assert viewer is not None
    assert viewer.has_news is news


def test_unknown_and_closed_are_nobody(room: Room, sessions: Sessions) -> None:
    ada, now = room.person("Ada"), room.clock()
    token = sessions.start(ada, now, second_factor=True)
    assert sessions.find("x", now) is None
    with room.home.database.writing() as database:
        database.get_one(Person, ada).disabled_at = now + HOUR  # set is closed, whatever the clock says
    assert sessions.find(token, now) is None


def test_sessions_are_listed_by_their_last_use(room: Room, sessions: Sessions) -> None:
    ada, now = room.person("Ada"), room.clock()
    others = {person: sessions.start(person, now, second_factor=False) for person in map(room.person, ("Ben", "Cleo"))}
    tokens = [sessions.start(ada, now, second_factor=False) for _ in range(3)]
    for token, idle in zip(tokens, (2, 1, 3), strict=True):
        moved(room, token, now, now - idle)
    listed = [row.token_hash for row in sessions.of(ada, now)]
    assert listed == [token_hash(tokens[at]) for at in (1, 0, 2)]
    for person, token in others.items():
        assert [row.token_hash for row in sessions.of(person, now)] == [token_hash(token)]


def test_ending_leaves_the_others_and_a_row(room: Room, sessions: Sessions) -> None:
    ada, ben, now = room.person("Ada"), room.person("Ben"), room.clock()
    first, second, third = (sessions.start(ada, now, second_factor=False) for _ in range(3))
    other = sessions.start(ben, now, second_factor=False)
    sessions.end("x", now)
    sessions.end(first, now + 1)
    assert stored(room).keys() == {token_hash(each) for each in (second, third, other)}
    session = stored(room)[token_hash(second)].id
    assert not sessions.end_one(ben, session, now)
    assert not sessions.end_one(ada, "x", now)
    assert sessions.end_one(ada, session, now + 2)
    assert stored(room).keys() == {token_hash(each) for each in (third, other)}
    sessions.end_all(ada)
    assert stored(room).keys() == {token_hash(other)}
    with room.home.database.reading() as database:
        rows = [(row.at, row.actor_id, row.action, row.thing) for row in database.scalars(select(AuditRow))]
    assert rows == [(now + 1, ada, "logout", ""), (now + 2, ada, "logout.session", session)]


def test_who_cannot_be_noted_as_seen_is_signed_in_all_the_same(
    room: Room, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sessions.start(room.person("Ada"), room.clock(), second_factor=False)

    def full(self: Database) -> None:
        raise TapesError("K03", "database", "is full", "")

    monkeypatch.setattr(Database, "writing", full)
    assert sessions.find(token, room.clock.advance(MINUTE)) is not None
