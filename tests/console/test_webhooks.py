"""What a provider reports is verified, stored with its own key, and answered."""

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
from twilio.request_validator import RequestValidator

from clinic.attempt import AttemptState
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.register.address import address_hash
from clinic.tables import Event, Suppression
from sandbox.stand_ins import Sandbox

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Post

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

REPLY = {"MessageSid": "SM1", "From": "+13055550123", "Body": "hola"}


async def events(desk: "Desk") -> list[Event]:
    return sorted(await desk.all(Event), key=lambda event: event.number)


@ONE_KIND
class TestRequestsThatAreRefused:
    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param({}, id="unsigned"),
            pytest.param({"X-Twilio-Signature": ""}, id="an empty signature"),
            pytest.param({"X-Twilio-Signature": "bWFkZSB1cA=="}, id="a signature made up"),
        ],
    )
    async def test_a_request_that_the_provider_did_not_sign(
        self, desk: "Desk", web: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        answer = await web.post("/webhooks/sms", data=REPLY, headers=headers)
        assert answer.status_code == 403
        assert await events(desk) == []

    @pytest.mark.parametrize(
        ("address", "status"),
        [
            pytest.param("{}/webhooks/sms", 204, id="the public one"),
            pytest.param("http://console/webhooks/sms", 403, id="the one behind the proxy"),
            pytest.param("{}/webhooks/sms?x=1", 403, id="with something added"),
        ],
    )
    async def test_a_signature_has_to_cover_the_public_address(
        self,
        web: httpx.AsyncClient,
        clinic: Clinic,
        sandbox: Sandbox,
        address: str,
        status: int,
    ) -> None:
        token = sandbox.settings.twilio_auth_token.get_secret_value()
        signed = address.format(clinic.settings.public_url)
        headers = {"X-Twilio-Signature": RequestValidator(token).compute_signature(signed, REPLY)}
        answer = await web.post("/webhooks/sms", data=REPLY, headers=headers)
        assert answer.status_code == status

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            pytest.param("/webhooks/telegram", 404, id="a channel that is not in use"),
            pytest.param("/webhooks/email", 403, id="a channel without webhooks"),
            pytest.param("/webhooks/call", 403, id="the call list"),
            pytest.param("/webhooks/", 404, id="no channel"),
        ],
    )
    async def test_a_door_that_nobody_opens(
        self, web: httpx.AsyncClient, path: str, status: int
    ) -> None:
        assert (await web.post(path, data=REPLY)).status_code == status

    async def test_a_form_that_the_provider_does_not_document(
        self, desk: "Desk", twilio_posts: "Post"
    ) -> None:
        answer = await twilio_posts(From="+13055550123", Body="hola")
        # in the console's words: a channel's own may quote what was sent
        refused = {"detail": "not of a form that this provider documents"}
        assert (answer.status_code, answer.json()) == (400, refused)
        assert await events(desk) == []

    async def test_a_body_that_is_too_large(self, desk: "Desk", twilio_posts: "Post") -> None:
        answer = await twilio_posts(**REPLY | {"Body": "a" * 70_000})
        assert answer.status_code == 413
        assert await events(desk) == []

    async def test_looking_at_it(self, web: httpx.AsyncClient) -> None:
        assert (await web.get("/webhooks/sms")).status_code == 405


class TestReplies:
    async def test_a_reply_is_stored_with_its_words_for_the_attempt_it_answers(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        written = await desk.written_to()
        answer = await patient_writes(written.patient.phone, "¿Mañana a las 10? 🙂", "SM-reply")
        assert (answer.status_code, answer.content) == (204, b"")
        (event,) = await events(desk)
        assert (event.kind, event.body) == (EventKind.REPLY.value, "¿Mañana a las 10? 🙂")
        assert (event.source, event.source_key) == ("sms", "SM-reply")
        assert (event.attempt_id, event.patient_id) == (written.attempt.id, written.patient.id)
        assert event.relayed_at is None

    async def test_the_same_report_again_is_no_second_reply(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        written = await desk.written_to()
        answers = [await patient_writes(written.patient.phone, "hola", "SM-r") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [204, 204, 204]
        assert len(await events(desk)) == 1

    async def test_two_replies_are_two(self, desk: "Desk", patient_writes: "Post") -> None:
        written = await desk.written_to()
        for words in ("hola", "hola"):
            await patient_writes(written.patient.phone, words)
        assert len(await events(desk)) == 2

    async def test_a_reply_from_a_number_nobody_knows_is_kept(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        await desk.written_to()
        assert (await patient_writes("+34600000000", "¿Quién es?")).status_code == 204
        (event,) = await events(desk)
        assert (event.kind, event.body) == (EventKind.REPLY.value, "¿Quién es?")
        assert (event.patient_id, event.attempt_id) == (None, None)

    async def test_a_reply_of_a_patient_nobody_wrote_to_is_kept_on_their_card(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        patient = await desk.patient()
        await patient_writes(patient.phone, "Quiero una hora")
        (event,) = await events(desk)
        assert (event.patient_id, event.attempt_id) == (patient.id, None)

    async def test_a_reply_after_the_end_belongs_to_the_attempt_that_ended(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        written = await desk.written_to()
        await desk.change(written.attempt, state=AttemptState.ENDED.value, ended_at=desk.now)
        await patient_writes(written.patient.phone, "Perdón, recién lo veo")
        (event,) = await events(desk)
        assert event.attempt_id == written.attempt.id

    async def test_a_reply_belongs_to_the_open_attempt_and_to_no_earlier_one(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        earlier = await desk.written_to()
        await desk.change(earlier.attempt, state=AttemptState.ENDED.value, ended_at=desk.now)
        written = await desk.write_to(earlier.patient)
        await patient_writes(written.patient.phone, "hola")
        (event,) = await events(desk)
        assert event.attempt_id == written.attempt.id

    async def test_a_reply_from_the_number_that_was_written_to_counts_though_it_has_changed(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        written = await desk.written_to()
        number = written.patient.phone
        await desk.change(written.patient, phone="+13055550199")
        await patient_writes(number, "hola")
        (event,) = await events(desk)
        assert event.attempt_id == written.attempt.id

    async def test_characters_that_a_database_refuses_lose_no_reply(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        written = await desk.written_to()
        assert (await patient_writes(written.patient.phone, "ho\0la")).status_code == 204
        (event,) = await events(desk)
        assert event.body == "hola"


class TestOptOuts:
    @ONE_KIND
    @pytest.mark.parametrize(
        "words",
        ["STOP", " stop. ", "Unsubscribe", "BAJA", "¡Baja!", "No más mensajes", "СТОП", "отпишите"],
    )
    async def test_a_word_that_means_stop_stops_everything_at_once(
        self, desk: "Desk", patient_writes: "Post", clinic: Clinic, words: str
    ) -> None:
        written = await desk.written_to()
        assert (await patient_writes(written.patient.phone, words)).status_code == 204
        (event,) = await events(desk)
        assert (event.kind, event.body) == (EventKind.OPTED_OUT.value, words)
        assert event.attempt_id == written.attempt.id
        patient = await desk.again(written.patient)
        assert patient.opted_out_at is not None
        suppressed = {row.address_hash for row in await desk.all(Suppression)}
        assert suppressed == {
            address_hash(clinic.key, str(address)) for address in (patient.email, patient.phone)
        }

    @ONE_KIND
    @pytest.mark.parametrize(
        "words",
        [
            pytest.param("Can you stop by the pharmacy?", id="stop as part of a sentence"),
            pytest.param("restart", id="stop within a word"),
            pytest.param("¿Cuánto sale dar de baja el plan?", id="a question about it"),
            pytest.param("", id="nothing"),
        ],
    )
    async def test_other_words_are_a_reply(
        self, desk: "Desk", patient_writes: "Post", words: str
    ) -> None:
        written = await desk.written_to()
        await patient_writes(written.patient.phone, words)
        (event,) = await events(desk)
        assert (event.kind, event.body) == (EventKind.REPLY.value, words)
        assert (await desk.again(written.patient)).opted_out_at is None

    async def test_the_same_report_again_changes_nothing(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        written = await desk.written_to()
        await patient_writes(written.patient.phone, "STOP", "SM-stop")
        since = (await desk.again(written.patient)).opted_out_at
        await patient_writes(written.patient.phone, "STOP", "SM-stop")
        assert (await desk.again(written.patient)).opted_out_at == since
        assert len(await events(desk)) == 1

    @pytest.mark.parametrize(("words", "count"), [("STOP", 1), ("hola", 0)])
    async def test_a_number_that_is_nobodys_is_suppressed_all_the_same(
        self, desk: "Desk", patient_writes: "Post", clinic: Clinic, words: str, count: int
    ) -> None:
        for _ in range(2):
            assert (await patient_writes("+34600000000", words, "SM-nobody")).status_code == 204
        assert [event.patient_id for event in await events(desk)] == [None]
        suppressed = [row.address_hash for row in await desk.all(Suppression)]
        assert suppressed == [address_hash(clinic.key, "+34600000000")] * count

    async def test_a_number_that_the_patient_has_given_up_is_suppressed_too(
        self, desk: "Desk", patient_writes: "Post", clinic: Clinic
    ) -> None:
        written = await desk.written_to()
        earlier = written.patient.phone
        await desk.change(written.patient, phone="+13055550199")
        await patient_writes(earlier, "STOP")
        suppressed = {row.address_hash for row in await desk.all(Suppression)}
        assert address_hash(clinic.key, str(earlier)) in suppressed


class TestASharedNumber:
    PHONE = "+13055550177"

    async def test_what_one_says_counts_for_each_who_was_written_to(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        family = [await desk.written_to(phone=self.PHONE) for _ in range(3)]
        for _ in range(2):  # a repeat adds nothing
            await patient_writes(self.PHONE, "Gracias, no podemos", "SM-family")
        stored = await events(desk)
        assert {event.attempt_id for event in stored} == {one.attempt.id for one in family}
        assert len(stored) == 3
        assert {event.body for event in stored} == {"Gracias, no podemos"}

    async def test_stop_stops_each_of_them(self, desk: "Desk", patient_writes: "Post") -> None:
        family = [await desk.written_to(phone=self.PHONE) for _ in range(2)]
        await patient_writes(self.PHONE, "baja")
        patients = [await desk.again(one.patient) for one in family]
        assert all(patient.opted_out_at is not None for patient in patients)

    async def test_it_is_heard_for_one_after_the_other_in_one_order(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        for own in ("pt-4", "pt-2", "pt-5", "pt-1", "pt-3"):
            await desk.written_to(id=own, phone=self.PHONE)
        await patient_writes(self.PHONE, "STOP")
        in_order = sorted(await events(desk), key=lambda event: event.number)
        assert [event.patient_id for event in in_order] == [f"pt-{own}" for own in range(1, 6)]

    async def test_whoever_was_not_written_to_did_not_answer(
        self, desk: "Desk", patient_writes: "Post"
    ) -> None:
        written = await desk.written_to(phone=self.PHONE)
        other = await desk.patient(phone=self.PHONE)
        await desk.attempt(other)
        await patient_writes(self.PHONE, "hola")
        (event,) = await events(desk)
        assert event.attempt_id == written.attempt.id


class TestStatuses:
    async def test_a_delivery_is_noted_at_the_message(
        self, desk: "Desk", twilio_posts: "Post"
    ) -> None:
        written = await desk.written_to()
        for status in ("sent", "delivered"):
            answer = await twilio_posts(MessageSid=written.sid, MessageStatus=status)
            assert answer.status_code == 204
        message = await desk.message(written)
        assert (message.provider_status, message.failed_at) == ("delivered", None)
        stored = await events(desk)
        assert [event.kind for event in stored] == [EventKind.NOTICE.value] * 2
        assert stored[1].details == {"status": "delivered", "step": 1}

    async def test_a_landline_bounces_and_its_number_is_bad(
        self, desk: "Desk", twilio_posts: "Post"
    ) -> None:
        written = await desk.written_to()
        for _ in range(2):  # a repeat adds nothing
            await twilio_posts(
                MessageSid=written.sid, MessageStatus="undelivered", ErrorCode="30006"
            )
        (event,) = await events(desk)
        assert (event.kind, event.attempt_id) == (EventKind.BOUNCED.value, written.attempt.id)
        assert event.details == {"status": "undelivered", "failure": "30006", "step": 1}
        message = await desk.message(written)
        assert message.failed_at is not None
        assert message.failure == "30006"
        assert (await desk.again(written.patient)).sms_bad_at is not None

    async def test_a_telephone_that_is_off_is_not_a_bad_number(
        self, desk: "Desk", twilio_posts: "Post"
    ) -> None:
        written = await desk.written_to()
        await twilio_posts(MessageSid=written.sid, MessageStatus="undelivered", ErrorCode="30003")
        (event,) = await events(desk)
        assert event.kind == EventKind.BOUNCED.value
        assert (await desk.again(written.patient)).sms_bad_at is None

    async def test_a_patient_who_had_said_stop_to_the_provider_has_opted_out(
        self, desk: "Desk", twilio_posts: "Post"
    ) -> None:
        written = await desk.written_to()
        await twilio_posts(MessageSid=written.sid, MessageStatus="failed", ErrorCode="21610")
        (event,) = await events(desk)
        assert (event.kind, event.attempt_id) == (EventKind.OPTED_OUT.value, written.attempt.id)
        patient: Any = await desk.again(written.patient)
        assert patient.opted_out_at is not None
        assert patient.sms_bad_at is None

    async def test_a_status_of_a_message_nobody_knows_is_kept(
        self, desk: "Desk", twilio_posts: "Post"
    ) -> None:
        written = await desk.written_to()
        await twilio_posts(MessageSid="SM-other", MessageStatus="undelivered", ErrorCode="30006")
        (event,) = await events(desk)
        assert (event.kind, event.attempt_id) == (EventKind.UNKNOWN.value, None)
        assert (await desk.again(written.patient)).sms_bad_at is None

    async def test_a_status_faster_than_the_ledger_belongs_to_the_message_its_url_names(
        self, desk: "Desk", twilio_posts: "Post"
    ) -> None:
        written = await desk.write_to(await desk.patient(), recorded=False)
        answer = await twilio_posts(
            f"?message={written.attempt.id}.1",
            MessageSid=written.sid,
            MessageStatus="undelivered",
            ErrorCode="30006",
        )
        assert answer.status_code == 204
        (event,) = await events(desk)
        assert (event.kind, event.attempt_id) == (EventKind.BOUNCED.value, written.attempt.id)
        assert event.details == {"status": "undelivered", "failure": "30006", "step": 1}
        assert (await desk.message(written)).provider_status == "undelivered"
        assert (await desk.again(written.patient)).sms_bad_at is not None

    async def test_what_the_ledger_knows_wins_over_what_the_url_names(
        self, desk: "Desk", twilio_posts: "Post"
    ) -> None:
        written, other = await desk.written_to(), await desk.written_to()
        query = f"?message={other.attempt.id}.1"
        await twilio_posts(query, MessageSid=written.sid, MessageStatus="delivered")
        (event,) = await events(desk)
        assert event.attempt_id == written.attempt.id

    @ONE_KIND
    async def test_an_earlier_sending_of_the_message_does_not_change_the_status_of_the_later(
        self, desk: "Desk", twilio_posts: "Post"
    ) -> None:
        written = await desk.written_to()
        query = f"?message={written.attempt.id}.1"
        await twilio_posts(query, MessageSid="SM-earlier", MessageStatus="delivered")
        (event,) = await events(desk)
        assert event.attempt_id == written.attempt.id
        assert (await desk.message(written)).provider_status is None

    @ONE_KIND
    @pytest.mark.parametrize(
        "named", ["", "nonsense", "at-unknown.1", "{attempt}.0", "{attempt}.1%00", "{attempt}.x"]
    )
    async def test_a_url_that_names_no_message_of_ours_loses_no_report(
        self, desk: "Desk", twilio_posts: "Post", named: str
    ) -> None:
        written = await desk.written_to()
        query = "?message=" + named.format(attempt=written.attempt.id)
        answer = await twilio_posts(query, MessageSid="SM-other", MessageStatus="sent")
        assert answer.status_code == 204
        (event,) = await events(desk)
        assert (event.kind, event.attempt_id) == (EventKind.UNKNOWN.value, None)

    @ONE_KIND
    @pytest.mark.parametrize(("code", "count"), [("30007", 1), ("30034", 1), ("30003", 0)])
    async def test_a_failure_that_is_ours_to_mend_is_told_to_the_operator_once(
        self, desk: "Desk", twilio_posts: "Post", code: str, count: int
    ) -> None:
        written = await desk.written_to()
        with structlog.testing.capture_logs() as logs:
            for _ in range(2):
                await twilio_posts(
                    MessageSid=written.sid,
                    MessageStatus="undelivered",
                    ErrorCode=code,
                    To=str(written.patient.phone),
                )
        errors = [entry for entry in logs if entry["log_level"] == "error"]
        told = [(entry["event"], entry["channel"], entry["code"]) for entry in errors]
        assert told == [("channel is held", "sms", code)] * count
