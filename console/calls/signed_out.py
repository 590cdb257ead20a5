"""For whoever reports on a call when their session has ended: their note, to be copied."""

from collections.abc import Awaitable, Callable

from fastapi import HTTPException, Request

from clinic.clinic import Clinic
from console.calls.form import LONGEST_NOTE
from console.doors import csrf
from console.doors.sessions import Visitor, visitor_of
from console.reader import AnsweredAlready, reader_of
from console.staff_view import render

_OF_ANOTHER_SESSION = (401, 403)
"""Nobody is signed in, or somebody is anew, since the form was opened."""


def or_note_back(
    signed_in: Callable[[Request], Awaitable[Visitor]], clinic: Clinic
) -> Callable[[Request], Awaitable[Visitor]]:
    """Return the dependency of a door that gives a note back to whom it does not let in.

    The note is shown once, on the answer's page, and kept nowhere.

    Args:
        signed_in: The door's own dependency.
        clinic: Whose console it is.
    """

    async def visit(request: Request) -> Visitor:
        try:
            return await signed_in(request)
        except HTTPException as refused:
            # another site's page is shown nothing of what it sent
            if refused.status_code in _OF_ANOTHER_SESSION and not csrf.comes_from_elsewhere(
                request
            ):
                await _give_back(request, clinic, refused)
            raise

    return visit


async def _give_back(request: Request, clinic: Clinic, refused: HTTPException) -> None:
    note = (await request.form(max_files=0)).get("note")
    if not isinstance(note, str) or not note.strip():
        return
    page = render(
        visitor_of(request) or reader_of(request, clinic.profile),
        "call_signed_out.html",
        status=refused.status_code,
        note=note[: 2 * LONGEST_NOTE],
        task_id=request.path_params["task_id"],
    )
    page.headers.update(refused.headers or {})
    raise AnsweredAlready(page)
