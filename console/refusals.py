"""How the doors refuse: in words a patient understands, in JSON for a program."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Mount

from clinic.clinic import Clinic
from console.patient_view import error_page
from console.security_headers import HEADERS

_PATIENTS = "/p/"
_METHODS = ("GET", "POST")
"""That any door takes; HEAD and OPTIONS are answered for all of them."""


def refuse_in_words(app: FastAPI, clinic: Clinic) -> None:
    """Have every refusal of an application answered in its reader's way.

    Nothing that was sent is sent back: it may be personal, or no text at all.
    """

    def answer(
        request: Request, status: int, detail: object, headers: dict[str, str] | None = None
    ) -> Response:
        if request.url.path.startswith(_PATIENTS):
            page = error_page(clinic.profile, request.headers.get("accept-language", ""), status)
            page.headers.update(headers or {})
            return page
        return JSONResponse({"detail": detail}, status, headers)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for those
        headers = dict(error.headers or {})
        if error.status_code == 405:  # noqa: PLR2004 - method not allowed
            headers["Allow"] = ", ".join(sorted(_allowed(request)))
            if request.method == "OPTIONS":
                return Response(None, 204, headers)
        return answer(request, error.status_code, error.detail, headers)

    async def misread(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for those
        fields = sorted({str(problem["loc"][-1]) for problem in error.errors()})
        return answer(request, 422, f"not understood: {', '.join(fields)}")

    async def left(request: Request, _error: Exception) -> Response:
        return answer(request, 400, "the body did not arrive")

    async def broken(request: Request, _error: Exception) -> Response:
        # answered outside everything else, so it brings its headers itself
        return answer(request, 500, "it broke on our side", HEADERS)

    for kind, handler in (
        (HTTPException, refused),
        (RequestValidationError, misread),
        (ClientDisconnect, left),
        (Exception, broken),
    ):
        app.add_exception_handler(kind, handler)


def _allowed(request: Request) -> set[str]:
    """Return the methods that some door takes at a path."""
    methods = {"OPTIONS"}
    for route in request.app.routes:
        for method in ("GET",) if isinstance(route, Mount) else _METHODS:
            match, _ = route.matches({**request.scope, "method": method})
            if match is Match.FULL:
                methods.add(method)
    return methods | ({"HEAD"} if "GET" in methods else set())
