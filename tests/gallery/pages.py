"""Every page that a role can reach, as who opens it and where; and the addresses that answer with something else."""

from __future__ import annotations

import re
from dataclasses import dataclass

NOBODY, HALF = "", "half:"
"""Somebody who is not signed in; before a name: who has given the password alone."""


@dataclass(frozen=True)
class Page:
    """A page; ``person`` opens ``path``, in which ``{name}`` is one of `Furnished.ids`.

    ``press``: the labels of buttons that lead on to it. ``ready``: what is on it once its scripts have run.
    ``fixed``: it is as high as the window, so that a picture of it is one of the window.
    """

    name: str
    person: str
    path: str
    press: tuple[str, ...] = ()
    ready: str = "main h1, main h2"
    fixed: bool = False


SCRIPTED = "[data-ready]"

PAGES = (
    Page("login", NOBODY, "/login"),
    Page("login-code", HALF + "Hugo", "/login/code"),
    Page("login-enroll", HALF + "Kim", "/login/enroll"),
    Page("invitation", NOBODY, "/invitation/{token}"),
    Page("invitation-used", NOBODY, "/invitation/" + "x" * 43),
    Page("certificate", NOBODY, "/certificate"),
    Page("home-administrator", "Ada", "/"),
    Page("home-interviewer", "Ben", "/"),
    Page("home-coordinator", "Cleo", "/"),
    Page("home-coder", "Eve", "/"),
    Page("home-coach", "Kim", "/"),
    Page("account", "Ben", "/account"),
    Page("account-administrator", "Ada", "/account"),
    Page("second-step", "Ben", "/account/second-step"),
    Page("people", "Ada", "/people"),
    Page("program", "Ada", "/program"),
    Page("submit", "Ben", "/tapes/new"),
    Page("submit-nothing", "Ben", "/tapes/new", press=("Continue to the recording",)),
    Page("consent-sheet", "Ben", "/consent-sheet"),
    Page("recording", "Ben", "/tapes/{draft}/recording"),
    Page("transcript", "Ben", "/tapes/{written}/transcript"),
    Page("part", "Ben", "/tapes/{part}/part", ready="#part svg path"),
    Page("another", "Ben", "/tapes/{part}/another"),
    Page("files", "Ben", "/tapes/{several}/files"),
    Page("permission", "Ben", "/tapes/{reviewed}/permission"),
    Page("permission-sheet", "Ben", "/tapes/{reviewed}/permission/sheet"),
    Page("tape-working", "Ben", "/tapes/{working}"),
    Page("tape-failed", "Ben", "/tapes/{failed}"),
    Page("tape-interviewer-first", "Ben", "/tapes/{fresh}"),
    Page("tape-interviewer", "Ben", "/tapes/{reviewed}"),
    Page("tape-coder", "Eve", "/tapes/{waiting}"),
    Page("tape-coach", "Kim", "/tapes/{reviewed}"),
    Page("withdraw", "Ben", "/tapes/{reviewed}/withdraw"),
    Page("withdraw-administrator", "Ada", "/tapes/{reviewed}/withdraw"),
    Page("destroy", "Ben", "/tapes/{reviewed}/destroy"),
    Page("destroyed", "Ben", "/destroyed"),
    Page("destroyed-certificate", "Ben", "/destroyed/{certificate}"),
    Page("voices", "Ben", "/tapes/{reviewed}/voices"),
    Page("first", "Ben", "/tapes/{fresh}/first"),
    Page("first-done", "Ben", "/tapes/{reviewed}/first"),
    Page("choose-task", "Kim", "/tapes/{waiting}/coding"),
    Page("choose-task-first", "Eve", "/tapes/{miti}/coding"),
    Page("coding", "Eve", "/tapes/{waiting}/passes/{open}", ready=SCRIPTED, fixed=True),
    Page("coding-locked", "Ada", "/tapes/{reviewed}/passes/{locked}", ready=SCRIPTED, fixed=True),
    Page("ratings", "Ada", "/tapes/{miti}/passes/{miti_pass}/ratings"),
    Page("names", "Ben", "/tapes/{reviewed}/names"),
    Page("names-group", "Ada", "/tapes/{reviewed}/names"),
    Page("notes", "Ada", "/tapes/{reviewed}/notes"),
    Page("moment", "Ada", "/tapes/{reviewed}/moment?at=6000"),
    Page("definitions", "Eve", "/tapes/{waiting}/definitions?codebook=pretags"),
    Page("codebook-pretags", "Eve", "/codebooks/pretags"),
    Page("codebook-miti", "Eve", "/codebooks/miti-4.2"),
    Page("together", "Ada", "/tapes/{reviewed}/together", ready=SCRIPTED, fixed=True),
    Page("together-interviewer", "Ben", "/tapes/{reviewed}/together", ready=SCRIPTED, fixed=True),
    Page("together-miti", "Ada", "/tapes/{miti}/together?codebook=miti-4.2", ready=SCRIPTED, fixed=True),
    Page("together-blind", "Eve", "/tapes/{waiting}/together"),
    Page("together-room", "Ada", "/tapes/{reviewed}/together?room=true", ready=SCRIPTED, fixed=True),
    Page("together-room-miti", "Ada", "/tapes/{miti}/together?codebook=miti-4.2&room=true", ready=SCRIPTED, fixed=True),
    Page("feedback", "Ada", "/tapes/{reviewed}/feedback"),
    Page("feedback-interviewer", "Ben", "/tapes/{reviewed}/feedback"),
    Page("feedback-waits", "Eve", "/tapes/{fresh}/feedback"),
    Page("summary", "Ada", "/tapes/{reviewed}/summary"),
    Page("summary-miti", "Ada", "/tapes/{miti}/summary"),
    Page("meetings", "Cleo", "/meetings"),
    Page("meeting", "Cleo", "/meetings/{planned}"),
    Page("meeting-past", "Ada", "/meetings/{met}"),
    Page("group", "Ada", "/groups/{group}"),
    Page("group-coordinator", "Cleo", "/groups/{group}"),
    Page("agreement", "Ada", "/groups/{group}/agreement"),
    Page("visit", "Kim", "/groups/{group}/visit"),
    Page("visit-minutes", "Kim", "/groups/{group}/visit?by=minutes&codebook=pretags"),
    Page("pairs", "Kim", "/groups/{group}/pairs?family=reflection&coder=Dan&a=reflection_simple&b=reflection_complex"),
    Page("growth", "Ben", "/growth"),
    Page("growth-shared", "Ada", "/growth/{growth}"),
    Page("practice", "Eve", "/practice"),
    Page("skills", "Eve", "/practice/skills"),
    Page("practice-coding", "Eve", "/practice/passes/{practice}", ready=SCRIPTED, fixed=True),
    Page("practice-comparison", "Ada", "/practice/passes/{practiced}"),
    Page("not-found", "Ada", "/nowhere"),
    Page("no-access", "Kim", "/people"),
)

OTHERS = {
    **dict.fromkeys(("/oidc/start", "/oidc/back"), "leads elsewhere, or to the login page"),
    **dict.fromkeys(("/here", "/uploads/{tape_id}", "/uploads/{tape_id}/check"), "data for scripts"),
    **dict.fromkeys(("/tapes/{tape_id}/part/peaks", "/tapes/{tape_id}/part/sound"), "sound and its shape"),
    **dict.fromkeys(("/tapes/{tape_id}/peaks", "/tapes/{tape_id}/sound"), "sound and its shape"),
    **dict.fromkeys((f"/practice/passes/{{calibration_pass_id}}/{what}" for what in ("peaks", "sound")), "sound"),
    **dict.fromkeys((f"/practice/passes/{{calibration_pass_id}}/{what}" for what in ("state", "mark")), "data"),
    **dict.fromkeys((f"/tapes/{{tape_id}}/passes/{{pass_id}}/{what}" for what in ("state", "mark")), "data"),
    **dict.fromkeys((f"/tapes/{{tape_id}}/together/{what}" for what in ("state", "mark", "live")), "data"),
    "/tapes/{tape_id}/progress": "a part of the page of a tape",
    **dict.fromkeys(("/tapes/{tape_id}/passes/{pass_id}/codes.{kind}", "/certificate/tape-review.crt"), "a file"),
    **dict.fromkeys(("/tapes/{tape_id}/summary.pdf", "/tapes/{tape_id}/summary.docx"), "a file"),
    "/destroyed/{certificate_id}/file": "a file",
    **dict.fromkeys(("/meetings/{meeting_id}/meeting.ics", "/calendar/{token}.ics"), "a calendar"),
    **dict.fromkeys(("/healthz", "/readyz", "/metrics"), "data for those who watch over the server"),
    "/tapes/{tape_id}/part/suggestion": "data for a script",
}
"""Routes that answer with no page, and with what instead."""


def route(address: str, paths: list[str]) -> str:
    """The route among ``paths``, in their order, that an address leads to; "" for none."""
    bare = address.partition("?")[0]
    return next((path for path in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), bare)), "")
