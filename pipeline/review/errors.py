"""What a person sees when something is wrong: a page, or JSON where the request asks for it.

A thing that is not there and a thing that is not the viewer's look the same: 404.
"""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pipeline.errors import TapeReviewError
from pipeline.review import error_texts
from pipeline.review.templating import render
from pipeline.tapes import logs, request_trail
from pipeline.tapes.reserve import disk_full

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

_NO_TAPE = f"{error_texts.NO_ACCESS} If you think that you should, ask its interviewer."
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


def answer(request: Request, status: int, detail: str, code: str = "", title: str = "", number: str = "") -> Response:
    """A problem as a page, by default under the title of its status, or as JSON ``{"code", "detail", "number"}``.

    ``number``: under which it stands in the log.
    """
    headers = {"Retry-After": _RETRY_AFTER[status]} if status in _RETRY_AFTER else {}
    if not wants_page(request):
        told = {"code": code, "detail": detail} | ({"number": number} if number else {})
        return JSONResponse(told, status, headers)
    title = title or _TITLES.get(status, "This did not work")
    page = render(request, "problem.html", status, title=title, detail=detail, code=code, number=number)
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
    response = answer(request, status, detail, title=getattr(error, "title", ""))
    response.headers.update(error.headers or {})
    return response


async def _incomplete(request: Request, error: RequestValidationError) -> Response:
    fields = sorted({str(each["loc"][-1]) for each in error.errors() if each["loc"]})
    if any(each["loc"][:1] == ("path",) for each in error.errors()):
        return await _http(request, HTTPException(404))
    return answer(request, 422, f"Go back and check: {', '.join(field.replace('_', ' ') for field in fields)}.")


async def _ours(request: Request, error: TapeReviewError) -> Response:
    given = error_texts.answer(error)
    if given.words == error_texts.NO_ACCESS:
        return await _http(request, HTTPException(404))  # as for a tape that was never there
    number = _logged(error, given.status)
    return answer(request, given.status, given.words, error.code, number=number)


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
        **{key: each for key, each in words.items() if each},
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
        full = error_texts.ANSWERS["J06"]
        return answer(request, full.status, full.words, number=_logged(error, full.status))
    return answer(request, 500, error_texts.UNKNOWN.words, number=_logged(error, 500))
