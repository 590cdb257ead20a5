"""Every message of a plan, as one patient of the segment would get it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from channels.addresses import addresses_by_channel
from channels.gsm7 import fold_accents, segments_of
from channels.mail_page import page_of
from channels.protocol import OutgoingMessage
from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.clinic import Clinic
from clinic.message_preview import MessagePreview, PreviewedMessage, messages_for
from clinic.tables import Patient
from console.campaigns.looks import CampaignLooks
from console.campaigns.new_page import Chosen, NewCampaign
from console.campaigns.outlook import Outlook
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.staff_view import render

_EMAIL, _SMS = "email", "sms"


class MessagesPages:
    """Shows messages before they are sent.

    Args:
        clinic: Whose.
        clock: What time it is.
        looks: Knows the first patients of a segment.
    """

    def __init__(self, clinic: Clinic, clock: Clock, looks: CampaignLooks) -> None:
        self._clinic = clinic
        self._clock = clock
        self._looks = looks

    async def first(self, chosen: Chosen, visitor: Visitor) -> Response:
        """Lead to the first patient who would get an attempt; say so where there is none yet."""
        look = await self._looks.outlook(*chosen, self._clock())
        if look.result is None or not look.result.named:
            return render(visitor, "campaigns/no_messages.html", chosen=chosen, look=look)
        return RedirectResponse(f"{chosen.path}/messages/{look.result.named[0]}", 303)

    async def of(self, chosen: Chosen, patient_id: str, visitor: Visitor) -> Response:
        """Return a patient's messages; that they were looked at is noted.

        Raises:
            HTTPException: 404, there is no such patient, or they were forgotten.
        """
        preview = await self._preview(chosen, patient_id, visitor)
        look = await self._looks.outlook(*chosen, self._clock())
        before, after, number, of = _neighbours(look.result, patient_id)
        return render(
            visitor,
            "campaigns/messages.html",
            chosen=chosen,
            preview=preview,
            said=list(zip(preview.messages, _steps(preview), strict=True)),
            sms={
                index: (text := fold_accents(each.words.text), segments_of(text))
                for index, each in enumerate(preview.messages)
                if each.step.channel == _SMS
            },
            before=before,
            after=after,
            number=number,
            of=of,
            zone=self._clinic.profile.zone,
        )

    async def mail(
        self, chosen: Chosen, patient_id: str, number: int, visitor: Visitor
    ) -> Response:
        """Return a mail as the patient's mail reader would show it; that is noted as well.

        Raises:
            HTTPException: 404, there is no such patient, or the step is no mail.
        """
        preview = await self._preview(chosen, patient_id, visitor)
        if number >= len(preview.messages) or not is_mail(preview.messages[number]):
            raise HTTPException(404, "no such mail")
        said = preview.messages[number]
        now = self._clock()
        message = OutgoingMessage(
            key="",
            attempt_id="",
            step=number,
            to="",
            language=preview.language,
            sender=self._clinic.profile.name,
            subject=said.words.subject,
            text=said.words.text,
            link=said.link,
            stop_url=said.stop_url,
            status_url="",
            claimed_at=now,
            due_at=now,
            tries=1,
        )
        return HTMLResponse(page_of(message))

    async def _preview(self, chosen: Chosen, patient_id: str, visitor: Visitor) -> MessagePreview:
        now = self._clock()
        async with self._clinic.database.writing() as session:
            patient = await session.get(Patient, patient_id)
            if patient is None or patient.erased_at is not None:
                raise HTTPException(404, "no such patient")
            preview = await messages_for(
                session,
                patient_id,
                chosen.plan,
                addresses_by_channel(self._clinic),
                policy=self._clinic.policy,
                folder=self._clinic.folder,
                links=self._clinic.links,
                key=self._clinic.key,
                now=now,
            )
            await note(
                session,
                who=visitor.account,
                action=Action.VIEWED,
                now=now,
                patient_id=patient_id,
            )
        return preview


def is_mail(message: PreviewedMessage) -> bool:
    """Say whether a message is a mail, which has a page beside its text."""
    return message.step.channel == _EMAIL


def _steps(preview: MessagePreview) -> list[Any]:
    """Return what would become of each step; nothing is known of one who is left out."""
    return list(preview.forecast.steps) or [None for _ in preview.messages]


def _neighbours(
    outlook: Outlook | None, patient_id: str
) -> tuple[str | None, str | None, int, int]:
    """Return who comes before and after a patient, which one this is, and of how many."""
    ids = outlook.named if outlook else []
    if patient_id not in ids:
        return None, None, 0, 0
    at = ids.index(patient_id)
    before = ids[at - 1] if at else None
    after = ids[at + 1] if at + 1 < len(ids) else None
    return before, after, at + 1, len(ids)


def router(clinic: Clinic, clock: Clock, doors: Doors, looks: CampaignLooks) -> APIRouter:
    """Build the doors to the messages of a plan."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = NewCampaign(clinic, clock, looks)
    pages = MessagesPages(clinic, clock, looks)
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]

    @routes.get("/campaigns/new/{segment}/plans/{plan}/messages")
    async def first(segment: str, plan: str, visitor: ops) -> Response:
        return await pages.first(desk.chosen(segment, plan), visitor)

    @routes.get("/campaigns/new/{segment}/plans/{plan}/messages/{patient_id}")
    async def show(segment: str, plan: str, patient_id: str, visitor: ops) -> Response:
        return await pages.of(desk.chosen(segment, plan), patient_id, visitor)

    @routes.get("/campaigns/new/{segment}/plans/{plan}/messages/{patient_id}/{number}/mail")
    async def mail(
        segment: str,
        plan: str,
        patient_id: str,
        number: Annotated[int, Path(ge=0, le=100)],
        visitor: ops,
    ) -> Response:
        return await pages.mail(desk.chosen(segment, plan), patient_id, number, visitor)

    return routes
