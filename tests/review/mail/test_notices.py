"""Mails that the room sends by itself: once each, to who may open the tape, and with nothing of it."""

from __future__ import annotations

import re
import smtplib
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import ReviewError
from pipeline.review.mail import notices
from pipeline.review.mail.letters import Letter
from pipeline.review.mail.mailer import Mailer
from pipeline.review.network.reach import Reach
from pipeline.tapes.clock import DAY, HOUR
from pipeline.tapes.db.records import Consent, Person, SentMail, Tape
from tests.review.conftest import Room

ADDRESS = "https://ada.local:8787"


@dataclass
class Post:
    """Takes mails in the place of a server; fails while ``closed``."""

    closed: bool = False
    mails: list[tuple[str, Letter]] = field(default_factory=list)

    def send(self, name: str, email: str, letter: Letter) -> None:
        if self.closed:
            raise ReviewError("R13", "e-mail", "a mail was not sent (the mail server cannot be reached)", "see [mail]")
        self.mails.append((email, letter))


def send(room: Room, post: Any) -> int:
    return notices.send_due(room.app.state.context, post)


@pytest.fixture
def group(room: Room) -> str:
    room.app.state.context.reach = Reach(ADDRESS, port=8787)
    return room.group()


def come_in(room: Room, *names: str) -> None:
    """Have people signed in once: who never came in gets an invitation, and no other mail."""
    with room.home.database.writing() as database:
        for person in database.query(Person).filter(Person.name.in_(names)):
            person.first_signed_in_at = room.clock()


def test_a_tape_waits_for_its_interviewer_and_for_nobody_twice(room: Room, group: str) -> None:
    ada, _ = room.person("Ada", group), room.person("Ben", group)
    room.person("Stranger", room.group("Elsewhere"))
    come_in(room, "Ada", "Ben", "Stranger")
    room.tape(group, ada)
    post = Post()
    assert send(room, post) == 1  # the others wait until Ada has looked at her own work
    assert [email for email, _ in post.mails] == ["ada@example.org"]
    assert post.mails[0][1] == Letter(
        "A tape waits for you", f"Hello Ada,\n\na tape waits for you in the review room:\n{ADDRESS}/\n"
    )
    assert send(room, post) == 0


def test_who_never_came_in_or_whose_account_is_closed_gets_none(room: Room, group: str) -> None:
    ada = room.person("Ada", group)
    room.tape(group, ada)
    assert send(room, Post()) == 0
    come_in(room, "Ada")
    with room.home.database.writing() as database:
        database.get_one(Person, ada).disabled_at = room.clock()
    assert send(room, Post()) == 0


def test_a_tape_that_ends_in_three_days_is_announced_once_to_those_who_may_open_it(room: Room, group: str) -> None:
    ada, _ = room.person("Ada", group), room.person("Ben", group)
    room.person("Stranger", room.group("Elsewhere"))
    come_in(room, "Ada", "Ben", "Stranger")
    room.tape(group, ada)
    post = Post()
    send(room, post)
    post.mails.clear()
    room.clock.advance(26 * DAY)
    assert send(room, post) == 0  # four days left
    room.clock.advance(2 * DAY)
    send(room, post)
    assert sorted(email for email, _ in post.mails) == ["ada@example.org", "ben@example.org"]
    assert {letter.subject for _, letter in post.mails} == {"A tape ends in 3 days"}
    assert send(room, post) == 0


def test_a_mail_that_fails_is_lost_to_nobody_and_shown_to_the_host(room: Room, group: str) -> None:
    ada = room.person("Ada", group)
    come_in(room, "Ada")
    room.tape(group, ada)
    post = room.app.state.context.mailer = Post(closed=True)
    assert send(room, post) == 0
    admin = room.signed_in(room.person("Root", is_admin=True))
    page = admin.get("/people").text
    assert "the mail server cannot be reached" in page
    assert "Ada" in page
    post.closed = False
    assert send(room, post) == 0  # not again at once
    room.clock.advance(HOUR)
    assert send(room, post) == 1
    assert "cannot be reached" not in room.signed_in(room.person("Rob", is_admin=True)).get("/people").text


def test_two_processes_that_look_at_the_same_moment_send_each_mail_once(room: Room, group: str) -> None:
    ada = room.person("Ada", group)
    come_in(room, "Ada")
    room.tape(group, ada)
    post = Post()

    class Slow(Post):
        """The other process looks while this one is sending."""

        def send(self, name: str, email: str, letter: Letter) -> None:
            assert send(room, post) == 0
            post.send(name, email, letter)

    assert send(room, Slow()) == 1
    assert [email for email, _ in post.mails] == ["ada@example.org"]
    with room.home.database.reading() as database:
        assert [(row.tries, row.sent_at) for row in database.query(SentMail)] == [(1, room.clock())]


def test_a_process_that_dies_while_it_sends_leaves_the_mail_to_the_next(room: Room, group: str) -> None:
    ada = room.person("Ada", group)
    come_in(room, "Ada")
    room.tape(group, ada)

    class Dies(Post):
        def send(self, name: str, email: str, letter: Letter) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send(room, Dies())
    post = Post()
    room.clock.advance(HOUR)
    assert send(room, post) == 1


def test_a_room_for_this_computer_alone_sends_no_link_that_works_nowhere(room: Room) -> None:
    group = room.group()
    room.tape(group, room.person("Ada", group))
    come_in(room, "Ada")
    assert send(room, Post()) == 0
    with room.home.database.reading() as database:
        assert database.query(SentMail).count() == 0


def test_unless_the_host_set_it_up_no_mail_leaves_the_machine(
    room: Room, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing leaves the machine by default: not an invitation, and nothing that the room sends by itself."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a mail server was asked for")

    monkeypatch.setattr(smtplib, "SMTP", refuse)
    monkeypatch.setattr(smtplib, "SMTP_SSL", refuse)
    room.tape(group, room.person("Ada", group))
    come_in(room, "Ada")
    assert room.app.state.context.mailer is None
    admin = room.signed_in(room.person("Root", is_admin=True))
    form = {"name": "Eve", "email": "eve@example.org", "group_id": group, "role": "member"}
    page = admin.post("/people", form).text
    assert "/invitation/" in page
    assert "The room sends e-mail" not in page
    before = threading.active_count()
    with notices.sending(room.app.state.context, every=0.001):
        assert threading.active_count() == before
    with room.home.database.reading() as database:
        assert database.query(SentMail).count() == 0


def test_an_invitation_is_mailed_and_stays_on_its_card_where_that_fails(room: Room, group: str) -> None:
    post = room.app.state.context.mailer = Post()
    admin = room.signed_in(room.person("Root", is_admin=True))
    form = {"name": "Eve", "email": "eve@example.org", "group_id": group, "role": "member"}
    page = admin.post("/people", form).text
    assert "Sent to <span" in page
    (email, letter), *_ = post.mails
    assert email == "eve@example.org"
    link = re.search(rf"{ADDRESS}/invitation/[\w-]{{43}}", page)
    assert link
    assert link[0] in letter.text
    post.closed = True
    page = admin.post("/people", form).text
    assert "The e-mail was not sent." in page
    link = re.search(r"/invitation/[\w-]{43}", page)
    assert link
    assert room.browser().get(link[0]).status_code == 200
    coordinator = room.signed_in(room.person("Cleo", group, role="coordinator"))
    post.closed = False
    answer = coordinator.post(f"/groups/{group}/members", {"name": "Ida", "email": "ida@example.org"})
    assert "Sent to <span" in answer.text


def test_the_room_sends_while_it_is_open(room: Room, group: str) -> None:
    room.tape(group, room.person("Ada", group))
    come_in(room, "Ada")
    post = room.app.state.context.mailer = Post()
    with notices.sending(room.app.state.context, every=0.001):
        while not post.mails:
            time.sleep(0.001)
    assert len(post.mails) == 1


class Wire:
    """A mail server that keeps every byte."""

    sent: list[bytes] = []  # noqa: RUF012

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send_message(self, message: EmailMessage) -> None:
        self.sent.append(message.as_bytes())


word = st.text("abcdefghijklmnopqrstuvwxyzäé0123456789", min_size=8, max_size=20).map(lambda text: f"zq{text}")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(target=word, pseudonym=word, why=word)
def test_no_mail_holds_a_client_s_words_a_target_or_a_pseudonym(
    room: Room, monkeypatch: pytest.MonkeyPatch, target: str, pseudonym: str, why: str
) -> None:
    """Whatever a tape is about and whatever its client is called; every byte that leaves is looked at."""
    monkeypatch.setattr(smtplib, "SMTP", Wire)
    Wire.sent = []
    room.app.state.context.reach = Reach(ADDRESS, fingerprint="AA:BB", port=8787)
    with room.home.database.writing() as database:
        for row in database.query(SentMail):
            database.delete(row)
    number = room.clock()
    room.clock.advance(1)
    group = room.group(f"Group {number}")
    ada = room.person(f"Ada{number}", group)
    come_in(room, f"Ada{number}")
    tape_id = room.tape(group, ada, target=target)
    with room.home.database.writing() as database:
        consent = database.query(Consent).filter(Consent.tape_id == tape_id).one()
        consent.pseudonym = pseudonym
        consent.method = why
        database.get_one(Tape, tape_id)
    local = Mailer("localhost", 25, "none", Mailer.of(_mail()).sender)  # type: ignore[union-attr]
    send(room, local)
    room.clock.advance(28 * DAY)
    send(room, local)
    subjects = {message_from_bytes(mail, policy=policy.default)["Subject"] for mail in Wire.sent}
    assert subjects == {"A tape waits for you", "A tape ends in 3 days"}
    for mail in Wire.sent:
        message = message_from_bytes(mail, policy=policy.default)
        read = mail.decode("utf-8", "replace") + str(message) + message.get_content()  # type: ignore[attr-defined]
        for secret in (target, pseudonym, why, "I ", tape_id, f"Group {number}"):
            assert secret not in read
    room.clock.advance(-28 * DAY)


def _mail() -> Any:
    from pipeline.settings import load

    return load().settings.mail.model_copy(update={"host": "localhost", "security": "none", "sender": "r@example.org"})
