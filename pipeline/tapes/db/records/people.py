"""People, their groups, and how they come in."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Index, UniqueConstraint

from pipeline.tapes.db.records.base import Mapped, Record, Sealed, key, mapped_column, new_id, of, one_of

Role = Literal["member", "coordinator", "coach"]
"""A coordinator only makes sure that the group meets; a coach looks in from outside."""

InvitationKind = Literal["setup", "join", "reset"]

MailKind = Literal["waiting", "ending"]

NoticeKind = Literal[
    "link-made", "link-used", "lift-asked", "lift-confirmed", "lift-stopped", "lifted", "recovery-used", "role-changed"
]


class Person(Record):
    """Someone who signs in: a member, a coach, an administrator; never a client.

    ``first_signed_in_at``: since when the account is its owner's alone. ``made_in_group_id``: the group whose
    coordinator made the account; None where an administrator did, or a command. ``first_steps_closed_at``: when the
    host of a new room closed the list of what to do first.
    """

    __tablename__ = "people"
    __table_args__ = (Index("ix_people_name", "name", "id"),)

    id: Mapped[str] = key()
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None] = mapped_column(default=None)
    totp_secret: Mapped[str | None] = mapped_column(default=None)
    is_admin: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[int]
    disabled_at: Mapped[int | None] = mapped_column(default=None)
    first_signed_in_at: Mapped[int | None] = mapped_column(default=None)
    made_in_group_id: Mapped[str | None] = mapped_column(default=None)
    first_steps_closed_at: Mapped[int | None] = mapped_column(default=None)


class Group(Record):
    """Peers who learn together. ``time_zone``: where they meet, "Europe/Berlin"; "" is that of this computer."""

    __tablename__ = "groups"
    __table_args__ = (Index("ix_groups_name", "name", "id"),)

    id: Mapped[str] = key()
    name: Mapped[str]
    agreements: Mapped[str] = mapped_column(default="")
    term_ends_at: Mapped[int | None] = mapped_column(default=None)
    created_at: Mapped[int]
    sealed_terms: Mapped[Sealed | None] = mapped_column(default=None)
    time_zone: Mapped[str] = mapped_column(default="")


class Membership(Record):
    """A person's time in a group, in one role. ``takes_turns``: a coordinator or coach wishes to, as members do."""

    __tablename__ = "memberships"

    id: Mapped[str] = key()
    group_id: Mapped[str] = of("groups.id")
    person_id: Mapped[str] = of("people.id")
    role: Mapped[Role] = one_of(Role, "role")
    since: Mapped[int]
    until: Mapped[int | None] = mapped_column(default=None)
    takes_turns: Mapped[bool] = mapped_column(default=False)


class WebSession(Record):
    """A signed-in browser, known by the hash of its token; its owner sees it by its id, source and device.

    ``second_factor``: a second step was passed in this session. Whether one is needed is asked at each request.
    ``challenge``: what a passkey must sign next in this session, in base64url; "" once it was used.
    """

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(default_factory=new_id, unique=True)
    person_id: Mapped[str] = of("people.id")
    created_at: Mapped[int]
    seen_at: Mapped[int]
    csrf: Mapped[str]
    second_factor: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(default="")
    device: Mapped[str] = mapped_column(default="")
    challenge: Mapped[str] = mapped_column(default="")
    challenge_at: Mapped[int | None] = mapped_column(default=None)


class Passkey(Record):
    """A passkey that its owner may use for the second step; only its public key is kept.

    ``rp_id``: the name of the room that it was made for; it works under no other. ``credential_id``, ``public_key``:
    in base64url. ``sign_count``: how often it has signed, as it says itself; 0 where it does not count.
    """

    __tablename__ = "passkeys"

    id: Mapped[str] = key()
    person_id: Mapped[str] = of("people.id")
    credential_id: Mapped[str] = mapped_column(unique=True)
    public_key: Mapped[str]
    sign_count: Mapped[int]
    rp_id: Mapped[str]
    name: Mapped[str]
    made_at: Mapped[int]
    used_at: Mapped[int | None] = mapped_column(default=None)


class TotpUse(Record):
    """The last step whose code was used of an authenticator's secret: each code works once, in whichever process."""

    __tablename__ = "totp_uses"

    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = of("people.id")
    step: Mapped[int]


class RecoveryCode(Record):
    """A code that lifts the second step of whoever lost the authenticator; only its hash is kept, and it works once."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = of("people.id")
    made_at: Mapped[int]
    used_at: Mapped[int | None] = mapped_column(default=None)


class SecondStepLift(Record):
    """One administrator asks to lift somebody's second step, another confirms; a day later it is lifted.

    ``ended_at``: when it was lifted, or stopped. Where nobody is named, the machine's operator did it by a command.
    """

    __tablename__ = "second_step_lifts"

    id: Mapped[str] = key()
    person_id: Mapped[str] = of("people.id")
    asked_by_id: Mapped[str | None] = of("people.id", optional=True)
    asked_at: Mapped[int]
    confirmed_by_id: Mapped[str | None] = of("people.id", optional=True)
    confirmed_at: Mapped[int | None] = mapped_column(default=None)
    ended_at: Mapped[int | None] = mapped_column(default=None)


class Notice(Record):
    """An action of somebody else on an account: shown until it is read, and kept on the account page."""

    __tablename__ = "notices"

    id: Mapped[str] = key()
    person_id: Mapped[str] = of("people.id")
    at: Mapped[int]
    kind: Mapped[NoticeKind] = one_of(NoticeKind, "kind")
    by_person_id: Mapped[str | None] = of("people.id", optional=True)
    seen_at: Mapped[int | None] = mapped_column(default=None)


class Invitation(Record):
    """A link that works once: to set up, to join a group, to choose a new password.

    ``group_id``: the group whose coordinator made it; `accounts.in_reach` says whom it may be for.
    """

    __tablename__ = "invitations"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[InvitationKind] = one_of(InvitationKind, "kind")
    person_id: Mapped[str | None] = of("people.id", optional=True)
    group_id: Mapped[str | None] = of("groups.id", optional=True)
    role: Mapped[Role | None] = one_of(Role, "role", default=None)
    expires_at: Mapped[int]
    used_at: Mapped[int | None] = mapped_column(default=None)


class SentMail(Record):
    """A mail that the room sent by itself, or could not send; known by a hash, which names no tape.

    ``at``: when it was last tried. ``sent_at``: when it went out. ``failure``: why it did not, or "".
    """

    __tablename__ = "sent_mails"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = of("people.id")
    kind: Mapped[MailKind] = one_of(MailKind, "kind")
    at: Mapped[int]
    tries: Mapped[int]
    sent_at: Mapped[int | None] = mapped_column(default=None)
    failure: Mapped[str] = mapped_column(default="")


class LoginAttempt(Record):
    """A failed attempt to sign in, known by a hash of who tried from where."""

    __tablename__ = "login_attempts"

    id: Mapped[str] = key()
    at: Mapped[int]
    key_hash: Mapped[str] = mapped_column(index=True)


class KnownPlace(Record):
    """A device or an address from which somebody signed in, known by a hash."""

    __tablename__ = "known_places"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = of("people.id")
    seen_at: Mapped[int]


class OrganizationIdentity(Record):
    """Which of an organization's accounts a person signs in with: the one that signed in first."""

    __tablename__ = "organization_identities"
    __table_args__ = (UniqueConstraint("person_id"), UniqueConstraint("issuer", "subject"))

    id: Mapped[str] = key()
    person_id: Mapped[str] = of("people.id", index=False)
    issuer: Mapped[str]
    subject: Mapped[str]
    bound_at: Mapped[int]


class Share(Record):
    """A person lets another see the own growth."""

    __tablename__ = "shares"

    id: Mapped[str] = key()
    person_id: Mapped[str] = of("people.id")
    with_person_id: Mapped[str] = of("people.id")
    at: Mapped[int]


class Recalibration(Record):
    """Coding together anew after drift."""

    __tablename__ = "recalibrations"

    id: Mapped[str] = key()
    group_id: Mapped[str] = of("groups.id")
    person_id: Mapped[str] = of("people.id")
    by_person_id: Mapped[str] = of("people.id")
    at: Mapped[int]
    note: Mapped[str] = mapped_column(default="")


class KeyChoice(Record):
    """Which keys a person wants on the coding page, for one codebook."""

    __tablename__ = "key_choices"
    __table_args__ = (UniqueConstraint("person_id", "codebook"),)

    id: Mapped[str] = key()
    person_id: Mapped[str] = of("people.id")
    codebook: Mapped[str]
    keys: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
