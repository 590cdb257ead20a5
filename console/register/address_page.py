"""An address that nobody may write to, whosever it is: also of people who are on no register."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.clinic import Clinic
from clinic.plain_text import legible
from clinic.register.hits import LONGEST
from clinic.register.says_stop import AddressChange, address_is_welcome, address_says_stop
from clinic.register.search import read_address
from clinic.register.suppression import suppressed
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.register.found import note_shown
from console.register.words import HOW_SAID, WHO_SAID
from console.staff_view import render, translated
from console.staff_words import N_

_NO_ADDRESS = N_(
    "That is neither an email address nor a phone number. Write one of them, with all its parts."
)
_NOBODY_SAID = N_("Who said so, and how? Without that it stays as it is.")
_SHOWN = 20
"""Of those who share an address."""

_ADDRESS_SAYS = {
    ("stop", True): N_("Nobody writes to this address any more."),
    ("stop", False): N_("Nobody wrote to this address before: nothing changes."),
    ("lift", True): N_("The clinic may write to this address again."),
    ("lift", False): N_("Nothing kept the clinic from writing to this address."),
}


class AddressForm(BaseModel):
    """What somebody filled in, as the browser sends it.

    Attributes:
        address: An email or a phone, as people write it.
        wish: To look whether somebody may write there, to stop that, or to allow it again.
        who: Who said that it is allowed, of `WHO_SAID`.
        how: How they said so, of `HOW_SAID`.
    """

    address: str = Field(default="", max_length=LONGEST)
    wish: Literal["look", "stop", "lift"] = "look"
    who: str = Field(default="", max_length=30)
    how: str = Field(default="", max_length=30)


class SuppressedAddresses:
    """Looks at one address, and has it suppressed or lifted.

    Addresses are kept as keyed hashes: there is no list that could be shown.

    Args:
        clinic: Whose.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock

    async def page(self, visitor: Visitor, form: AddressForm, *, problem: str = "") -> Response:
        """Return the page, with how an address stands where one was written.

        Args:
            visitor: Who looks.
            form: What they filled in.
            problem: What is wrong with it, in their words.
        """
        return self._render(visitor, form, problem=problem)

    async def act(self, visitor: Visitor, form: AddressForm) -> Response:
        """Do what is wished, and show how the address stands then."""
        clinic, now = self._clinic, self._clock()
        written = legible(form.address)
        address = read_address(written, clinic.profile.country) if written else None
        if address is None:
            return self._render(visitor, form, problem=translated(visitor, _NO_ADDRESS))
        if form.wish == "lift" and not (form.who in WHO_SAID and form.how in HOW_SAID):
            since = await self._looked_at(address, visitor, now)
            problem = translated(visitor, _NOBODY_SAID)
            return self._render(visitor, form, address=address, since=since, problem=problem)
        if form.wish == "look":
            since = await self._looked_at(address, visitor, now)
            return self._render(visitor, form, address=address, since=since)
        async with clinic.database.writing() as session:
            if form.wish == "stop":
                change = await address_says_stop(session, address, now=now, key=clinic.key)
                details: dict[str, str | bool] = {"what": "address_stop", "new": change.changed}
            else:
                change = await address_is_welcome(session, address, key=clinic.key)
                details = {
                    "what": "address_lift",
                    "new": change.changed,
                    "said_by": form.who,
                    "heard": form.how,
                }
            who = visitor.account
            await note(session, who=who, action=Action.CHANGED, now=now, details=details)
            if change.sharing:
                ids = [other.id for other in change.sharing[:_SHOWN]]
                await note_shown(session, ids, visitor, now, where="address")
        return self._render(
            visitor,
            form,
            address=address,
            since=await self._since(address),
            change=change,
            notice=translated(visitor, _ADDRESS_SAYS[form.wish, change.changed]),
        )

    async def _looked_at(self, address: str, visitor: Visitor, now: datetime) -> object:
        """Return since when nobody writes to an address, and note that somebody asked."""
        async with self._clinic.database.writing() as session:
            who, details = visitor.account, {"what": "address"}
            await note(session, who=who, action=Action.SEARCHED, now=now, details=details)
        return await self._since(address)

    async def _since(self, address: str) -> object:
        async with self._clinic.database.reading() as session:
            found = await suppressed(session, [address], self._clinic.key)
        return found[address].since if address in found else None

    def _render(
        self,
        visitor: Visitor,
        form: AddressForm,
        *,
        address: str = "",
        since: object = None,
        change: AddressChange | None = None,
        problem: str = "",
        notice: str = "",
    ) -> Response:
        return render(
            visitor,
            "register/addresses.html",
            status=422 if problem else 200,
            form=form,
            address=address,
            since=since,
            sharing=change.sharing[:_SHOWN] if change else (),
            sharing_more=max(0, len(change.sharing) - _SHOWN) if change else 0,
            problem=problem,
            notice=notice,
            longest=LONGEST,
            who_said=WHO_SAID,
            how_said=HOW_SAID,
            zone=self._clinic.profile.zone,
        )


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors of an address: by POST, so that none stands in a page's own address."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = SuppressedAddresses(clinic, clock)
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]

    @routes.get("/register/addresses")
    async def show(visitor: ops) -> Response:
        return await desk.page(visitor, AddressForm())

    @routes.post("/register/addresses")
    async def act(visitor: ops, form: Annotated[AddressForm, Form()]) -> Response:
        return await desk.act(visitor, form)

    return routes
