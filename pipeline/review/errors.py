"""Errors for members: a page with a sentence that a member can act on, or JSON where the request asks for it.

`pipeline.errors` writes for the operator: its messages name files, commands and tables, and go to the log. A code that
is added there needs a sentence here. A thing that is not there and a thing that is not the viewer's look the same: 404.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pipeline.errors import TapeReviewError
from pipeline.review.templating import render
from pipeline.tapes import logs, request_trail
from pipeline.tapes.reserve import disk_full


@dataclass(frozen=True)
class MemberText:
    """The status, and words that name no file, no command and no table.

    Empty words: the error is about what the member typed, and its own words are meant for that member.
    """

    status: int
    words: str


_OPTIONS = re.compile(r" \(--[^()]*\)")


def without_options(warning: str) -> str:
    """Return a warning about a recording without its words on the command line, which nobody has in the room."""
    return _OPTIONS.sub("", warning)


NO_ACCESS = "You do not have access to this tape."

_LATER = "Try again in a few minutes. If the problem continues, give your administrator the number below."
_SENTENCES: tuple[tuple[str, int, str], ...] = (  # codes, HTTP status, words
    (
        "A01 A03 A05 A13 A14 A15",
        422,
        "This recording is damaged or incomplete. Export it again, and upload the new file.",
    ),
    (
        "A02 A09",
        422,
        "This recording has no sound. Listen to the file, and upload one in which both people can be heard.",
    ),
    (
        "A04 A06",
        422,
        "This kind of file is not supported. Export the recording as WAV, FLAC, MP3 or M4A, and upload that file.",
    ),
    (
        "A19",
        422,
        "This is a dictation file (DSS or DS2). Convert it to WAV with the program of the recorder's maker (Olympus or "
        "OM System ODMS, Philips SpeechExec), and upload the new file.",
    ),
    (
        "A07 A08",
        422,
        "This recording has an unusual format. Export it with one or two channels at 44.1 kHz, and upload that file.",
    ),
    ("A10 A11", 422, "The part that you chose is too long, or is outside the recording. Choose another part."),
    (
        "A12",
        413,
        "This recording is too long or too large. Cut it to the part that you want to review, and upload that file.",
    ),
    (
        "A16",
        422,
        "This file has several sound tracks. Choose the one with the session.",
    ),
    (
        "A17",
        422,
        "The two files share no sound that shows how they belong together. "
        "Say how many seconds later the second one begins.",
    ),
    (
        "A18",
        422,
        "These files do not make up one recording. "
        "Check that they are of the same session, and of two people or two parts.",
    ),
    (
        "M01 M02 M03 M04 M05 M06 M07 M08 M09 M10 M11 P03 P14 C04 C07 C08",
        503,
        f"A model for coding tapes is not installed correctly. {_LATER}",
    ),
    ("P01", 422, "No words were found in this recording. Listen to the part that you chose, and choose another part."),
    (
        "P02 P15",
        422,
        "The two people could not be told apart in this recording. Choose another part of it.",
    ),
    (
        "P04",
        422,
        "The transcript does not fit this recording: hardly any of its words were recognized there. "
        "Hand the session in again with its own transcript, or without one.",
    ),
    (
        "P10 P11 P12 P13",
        422,
        "The file with the speakers does not match this recording. Choose the file that was made for it.",
    ),
    ("C01 C02", 422, "This codebook is incomplete or has a wrong value. Export it again, and upload the new file."),
    ("C03", 404, "This codebook does not exist. Choose one from the list."),
    ("C05 C06", 422, "There are too few codes for this yet. Code more tapes first."),
    (
        "T01 T02 T03 T04 T05 T06 T07 T08",
        422,
        "This table is incomplete or has a wrong value. Correct it, and upload it again.",
    ),
    ("D01 D03 D04 D05 D06 D07 D08", 404, NO_ACCESS),
    ("D02", 403, "Your account is closed. Ask your administrator to open it."),
    ("D10", 422, "The permission cannot be read. Fill in the form again."),
    ("D11 R03 R04 R10", 422, ""),
    ("R08", 409, ""),
    ("R09", 413, ""),
    ("K01 K02 K03 K05 K06", 503, f"The program cannot reach its records. {_LATER}"),
    ("K04", 503, "Others are saving right now, so this was not saved. Go back, and try again in a minute."),
    ("K07", 404, "This person or group does not exist. Go back, and choose another one."),
    ("K11", 409, "People or tapes are here already. A simulated year needs an empty room of its own."),
    ("K08", 409, "This person or group already exists. Go back, and check the list."),
    ("K09", 422, "A name, address or role is not valid. Go back, and correct it."),
    (
        "F01 F03 F06 F07 F08 F09 F10",
        422,
        "This is not the kind of file that is needed here. Export it again, and upload the new file.",
    ),
    ("F02", 413, "This file is too large. Upload a smaller one."),
    (
        "F04 F05",
        422,
        "This file has parts that could be harmful, and was not opened. Export it again, and upload the new file.",
    ),
    ("F11", 422, "Nothing in this file matches this tape. Choose the file that belongs to this tape."),
    ("F12", 422, "This file does not say what its times count from. Export it again from the whole recording."),
    ("J01", 404, "This tape is not being processed. Reload the tape's page."),
    ("J02", 409, "The work on this tape started or ended in the meantime. Reload the tape's page."),
    (
        "J03 J04",
        500,
        "The computer could not process this tape. Try again. If it fails again, tell your administrator.",
    ),
    ("J05", 503, f"The computer cannot start processing this tape. {_LATER}"),
    (
        "J06 V08 V20",
        507,
        "The server's disk is full or cannot be written. This was not saved. Tell your administrator, and try again.",
    ),
    (
        "R01",
        413,
        "This file is too large for this program. Cut it or export it in a smaller format, and upload that file.",
    ),
    (
        "R02",
        409,
        "This does not continue the upload that was started. Reload the page, and choose the file again.",
    ),
    (
        "R05",
        503,
        "You cannot sign in with your organization right now. Sign in with your password, or ask your administrator.",
    ),
    (
        "R06",
        422,
        "This scan has an unknown format or is too large. Upload a PDF, PNG, JPEG or TIFF with less detail.",
    ),
    ("R07 R11 R12 R13 S01 S02 S03 S04 O01 O02 O03 O04", 500, f"The program is not set up correctly. {_LATER}"),
    (
        "V01 V02",
        500,
        "Part of this is damaged or missing. Give your administrator the number below. A backup may have it.",
    ),
    ("V03 V15", 404, NO_ACCESS),
    ("V04 V05 V06 V07 V19", 503, f"The program's key cannot be used. {_LATER}"),
    ("K10 V10 V11 V12 V13", 422, "This file is damaged, or was not made by this program. Choose another one."),
    (
        "V14",
        500,
        "A copy of this tape is left, or a program is still working on it. Give your administrator the number below.",
    ),
    ("V18", 409, "This tape is being destroyed, or its key is being changed. Reload the page in a minute."),
    ("V16 V17", 409, "This cannot be done in the current state. Give your administrator the number below."),
)

MEMBER_TEXTS: dict[str, MemberText] = {
    code: MemberText(status, words) for codes, status, words in _SENTENCES for code in codes.split()
}
"""Code -> what a member reads."""

UNKNOWN = MemberText(500, f"This did not work. {_LATER}")


def member_text(error: TapeReviewError) -> MemberText:
    """The status and the sentence for a member of an error."""
    if disk_full(error):
        return MEMBER_TEXTS["J06"]
    text = MEMBER_TEXTS.get(error.code.removeprefix("TR-"), UNKNOWN)
    sentence = f"{error.value[:1].upper()}{error.value[1:]}; {error.remedy}."
    return text if text.words else MemberText(text.status, sentence)


def sentence_for(code: str | None) -> str:
    """The sentence for a member where nothing but an error's code is known, ``TR-J03`` say."""
    return MEMBER_TEXTS.get((code or "J04").removeprefix("TR-"), UNKNOWN).words


_TITLES = {
    400: "This did not work",
    403: "This form has expired",
    404: "There is nothing here",
    405: "There is nothing here",
    409: "This has changed in the meantime",
    413: "This is too large",
    422: "Please check the form",
    429: "Please wait a moment",
    500: "Something went wrong on our side",
    503: "This is not available right now",
    507: "The disk is full",
}

_NO_TAPE = f"{NO_ACCESS} If you think that you should, ask its interviewer."
_MISSING = "This page does not exist, or you do not have access to it."
_OF_A_TAPE = re.compile(r"/(?:tapes|uploads)/(?!new\b)[^/]+")
_RETRY_AFTER = {503: "30"}
"""Status -> seconds after which a program may ask again."""


class NotYetError(HTTPException):
    """Something else comes first, which ``detail`` names; the answer is 403, but no form has expired.

    ``reason``: one word for the audit.
    """

    title = "Not yet"

    def __init__(self, detail: str, reason: str) -> None:
        super().__init__(403, detail)
        self.reason = reason


class SignInError(HTTPException):
    """The route needs somebody who is signed in; ``step`` names what is still to do: "code", "enroll", or all of it."""

    def __init__(self, step: str = "") -> None:
        super().__init__(401)
        self.step = step


def wants_page(request: Request) -> bool:
    """Whether the request comes from a browser that goes to a page."""
    return "text/html" in request.headers.get("accept", "") and "x-csrf-token" not in request.headers


def error_response(
    request: Request, status: int, detail: str, code: str = "", title: str = "", number: str = ""
) -> Response:
    """A problem as a page, by default under the title of its status, or as JSON ``{"code", "detail", "number"}``.

    ``number``: under which it stands in the log.
    """
    headers = {"Retry-After": _RETRY_AFTER[status]} if status in _RETRY_AFTER else {}
    if not wants_page(request):
        content = {"code": code, "detail": detail} | ({"number": number} if number else {})
        return JSONResponse(content, status, headers)
    title = title or _TITLES.get(status, "This did not work")
    page = render(request, "error.html", status, title=title, detail=detail, code=code, number=number)
    page.headers.update(headers)
    return page


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_incomplete)
    app.exception_handler(TapeReviewError)(_ours)
    app.exception_handler(SignInError)(_sign_in)
    app.exception_handler(ClientDisconnect)(_gone)
    app.exception_handler(Exception)(_unexpected)


async def _http(request: Request, error: HTTPException) -> Response:
    if isinstance(error, NotYetError):
        request_trail.refuse(error.reason)
    detail = error.detail
    if detail in (HTTPStatus.NOT_FOUND.phrase, HTTPStatus.METHOD_NOT_ALLOWED.phrase):
        detail = _NO_TAPE if _OF_A_TAPE.match(request.url.path) else _MISSING
    status = 404 if error.status_code == 405 else error.status_code
    response = error_response(request, status, detail, title=getattr(error, "title", ""))
    response.headers.update(error.headers or {})
    return response


async def _incomplete(request: Request, error: RequestValidationError) -> Response:
    fields = sorted({str(problem["loc"][-1]) for problem in error.errors() if problem["loc"]})
    if any(problem["loc"][:1] == ("path",) for problem in error.errors()):
        return await _http(request, HTTPException(404))
    return error_response(request, 422, f"Go back and check: {', '.join(field.replace('_', ' ') for field in fields)}.")


async def _ours(request: Request, error: TapeReviewError) -> Response:
    text = member_text(error)
    if text.words == NO_ACCESS:
        return await _http(request, HTTPException(404))  # as for a tape that was never there
    number = _logged(error, text.status)
    return error_response(request, text.status, text.words, error.code, number=number)


def _logged(error: Exception, status: int) -> str:
    """Write an error to the log, without a word that may be a client's or a member's; the number that it has there."""
    number = secrets.token_hex(4)
    words = {"operator": logs.operator_words(error)} if isinstance(error, TapeReviewError) else {}
    log = logs.get().error if status >= 500 else logs.get().info
    log(
        "request.fail",
        exc_info=error,
        status=status,
        number=number,
        **{key: value for key, value in words.items() if value},
    )
    return number


async def _sign_in(request: Request, error: SignInError) -> Response:
    request_trail.refuse(error.step or "sign-in")
    if not wants_page(request):
        return JSONResponse({"code": "", "detail": "Sign in first."}, 401)
    page = f"/login/{error.step}" if error.step else "/login"
    back = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"{page}?next={quote(back)}" if back != "/" else page, 303)


async def _gone(_: Request, __: ClientDisconnect) -> Response:
    """Nobody is there to read an answer, and nothing is wrong with the room."""
    return Response(status_code=400)


async def _unexpected(request: Request, error: Exception) -> Response:
    if disk_full(error):
        full = MEMBER_TEXTS["J06"]
        return error_response(request, full.status, full.words, number=_logged(error, full.status))
    return error_response(request, 500, UNKNOWN.words, number=_logged(error, 500))
