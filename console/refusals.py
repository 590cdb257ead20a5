"""How the doors refuse: in words that patients and staff understand, in JSON for a program."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Mount

from clinic.clinic import Clinic
from console.audience import Audience, audience_of
from console.doors.sessions import visitor_of
from console.patient.view import error_page
from console.reader import AnsweredAlready, reader_of
from console.security_headers import headers_of
from console.staff_view import refusal_page

_METHODS = ("GET", "POST")
"""That any door takes; HEAD and OPTIONS are answered for all of them."""


def refuse_in_words(app: FastAPI, clinic: Clinic) -> None:
    """Have every refusal of an application answered in its reader's way.

    Nothing that was sent is sent back: it may be personal, or no text at all.
    """

    async def answered(_request: Request, error: Exception) -> Response:
        assert isinstance(error, AnsweredAlready)  # noqa: S101 - it is registered for those
        return error.answer

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for those
        headers = dict(error.headers or {})
        if error.status_code == 405:  # noqa: PLR2004 - method not allowed
            headers["Allow"] = ", ".join(sorted(_allowed(request)))
            if request.method == "OPTIONS":
                return Response(None, 204, headers)
        return _answer(clinic, request, error.status_code, error.detail, headers)

    async def misread(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for those
        fields = sorted({str(problem["loc"][-1]) for problem in error.errors()})
        return _answer(clinic, request, 422, f"not understood: {', '.join(fields)}")

    async def left(request: Request, _error: Exception) -> Response:
        return _answer(clinic, request, 400, "the body did not arrive")

    async def broken(request: Request, _error: Exception) -> Response:
        # answered outside everything else, so it brings its headers itself
        return _answer(
            clinic, request, 500, "it broke on our side", headers_of(request.scope["path"])
        )

    for kind, handler in (
        (AnsweredAlready, answered),
        (HTTPException, refused),
        (RequestValidationError, misread),
        (ClientDisconnect, left),
        (Exception, broken),
    ):
        app.add_exception_handler(kind, handler)


def _answer(
    clinic: Clinic,
    request: Request,
    status: int,
    detail: object,
    headers: dict[str, str] | None = None,
) -> Response:
    match audience_of(request.scope["path"]):
        case Audience.PATIENTS:
            accepted = request.headers.get("accept-language", "")
            page = error_page(clinic.profile, accepted, status)
        case Audience.STAFF:
            reader = visitor_of(request) or reader_of(request, clinic.profile)
            page = refusal_page(reader, status)
        case Audience.PROGRAMS:
            return JSONResponse({"detail": detail}, status, headers)
    page.headers.update(headers or {})
    return page


def _allowed(request: Request) -> set[str]:
    """Return the methods that some door takes at a path."""
    methods = {"OPTIONS"}
    for route in request.app.routes:
        for method in ("GET",) if isinstance(route, Mount) else _METHODS:
            match, _ = route.matches({**request.scope, "method": method})
            if match is Match.FULL:
                methods.add(method)
    return methods | ({"HEAD"} if "GET" in methods else set())
