"""Twilio's Messages API over HTTP, as https://www.twilio.com/docs/messaging/api describes it.

The numbers that force a fault are in `twilio_faults`, the faults by chance in `random_faults`.
"""

import asyncio
import hmac
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from sandbox.lost_answers import AnswerBrokenOff, NeverAnswered
from sandbox.random_faults import RandomFault, RandomFaults
from sandbox.twilio_account import TwilioAccount
from sandbox.twilio_errors import Refusal, TwilioRefusalError
from sandbox.twilio_faults import FirstTime, FirstTimes
from sandbox.twilio_message import API_VERSION, TwilioMessage
from sandbox.twilio_submission import read_submission

_CREATED: Final = 201
_RETRY_AFTER_S: Final = 1
_PAGE_SIZE, _MAX_PAGE_SIZE = 50, 1000
_TOKEN_PREFIX: Final = "PA"  # noqa: S105 - the place in a list, no secret

_Credentials = Annotated[HTTPBasicCredentials | None, Depends(HTTPBasic(auto_error=False))]


class MessagesApi:
    """The routes of the Messages resource of one account.

    Attributes:
        router: The routes, to be included in an application whose handler for
            `TwilioRefusalError` is `twilio_errors.answer_refusal`.
    """

    def __init__(
        self,
        account: TwilioAccount,
        *,
        auth_token: str,
        faults: RandomFaults,
        closing: asyncio.Event,
    ) -> None:
        """Offer an account's messages.

        Args:
            account: The account.
            auth_token: The password of its API.
            faults: Says which requests to send meet a fault by chance.
            closing: Set when the server stops, to let go of requests that are never answered.
        """
        self._account = account
        self._auth_token = auth_token
        self._faults = faults
        self._closing = closing
        self._first_times = FirstTimes()
        self.router = APIRouter(
            prefix=f"/{API_VERSION}/Accounts/{{account_sid}}",
            dependencies=[Depends(self._authenticate)],
        )
        self.router.add_api_route(
            "/Messages.json", self._create, methods=["POST"], response_model=None
        )
        self.router.add_api_route("/Messages.json", self._list, methods=["GET"])
        self.router.add_api_route("/Messages/{sid}.json", self._fetch, methods=["GET"])

    async def _authenticate(
        self, request: Request, account_sid: str, credentials: _Credentials
    ) -> None:
        if credentials is None or not (
            hmac.compare_digest(credentials.username.encode(), self._account.sid.encode())
            and hmac.compare_digest(credentials.password.encode(), self._auth_token.encode())
        ):
            raise TwilioRefusalError(Refusal.NOT_AUTHENTICATED)
        if account_sid != self._account.sid:
            raise TwilioRefusalError(Refusal.NOT_FOUND, request.url.path)

    async def _create(self, request: Request) -> Response:
        began_at = datetime.now(UTC)
        form = {name: str(value) for name, value in (await request.form()).items()}
        submission = read_submission(
            form, owned_numbers=self._account.numbers, contents=self._account.contents
        )
        fault = self._first_times.take(submission.to)
        if fault is FirstTime.TOO_MANY_REQUESTS:
            raise TwilioRefusalError(Refusal.TOO_MANY_REQUESTS, retry_after=_RETRY_AFTER_S)
        if fault is FirstTime.UNAVAILABLE:
            raise TwilioRefusalError(Refusal.UNAVAILABLE)
        by_chance = self._faults.of_twilio()
        if by_chance is not None:
            self._refuse_by_chance(by_chance)
        message = await self._account.accept(submission)
        message.began_at = began_at
        if by_chance is RandomFault.TWILIO_500:
            raise TwilioRefusalError(Refusal.SERVER_ERROR)
        if by_chance is RandomFault.TWILIO_ACCEPT_THEN_SILENCE:
            self._faults.count(by_chance)
            return NeverAnswered(self._closing)
        if fault is FirstTime.NEVER_ANSWERED:
            return NeverAnswered(self._closing)
        if fault is FirstTime.ANSWER_BROKEN_OFF:
            return AnswerBrokenOff()
        return JSONResponse(message.resource(), status_code=_CREATED)

    def _refuse_by_chance(self, fault: RandomFault) -> None:
        match fault:
            case RandomFault.TWILIO_429:
                self._faults.count(fault)
                after = self._faults.retry_after()
                raise TwilioRefusalError(Refusal.TOO_MANY_REQUESTS, retry_after=after)
            case RandomFault.TWILIO_503:
                self._faults.count(fault)
                raise TwilioRefusalError(Refusal.UNAVAILABLE)
            case RandomFault.TWILIO_500 if not self._faults.is_taken(fault):
                raise TwilioRefusalError(Refusal.SERVER_ERROR)

    async def _fetch(self, request: Request, sid: str) -> dict[str, Any]:
        message = self._account.message(sid)
        if message is None:
            raise TwilioRefusalError(Refusal.NOT_FOUND, request.url.path)
        return message.resource()

    async def _list(
        self,
        *,
        request: Request,
        to: Annotated[str | None, Query(alias="To")] = None,
        sender: Annotated[str | None, Query(alias="From")] = None,
        sent_on: Annotated[str | None, Query(alias="DateSent")] = None,
        sent_until: Annotated[str | None, Query(alias="DateSent<")] = None,
        sent_since: Annotated[str | None, Query(alias="DateSent>")] = None,
        page_size: Annotated[int, Query(alias="PageSize", ge=1)] = _PAGE_SIZE,
        page: Annotated[int, Query(alias="Page", ge=0)] = 0,
        after: Annotated[str | None, Query(alias="PageToken")] = None,
    ) -> dict[str, Any]:
        filters: list[Callable[[TwilioMessage], bool]] = []
        if to:
            filters.append(lambda message: message.to == to)
        if sender:
            filters.append(lambda message: message.sender == sender)
        if sent_on:
            filters.append(_is_sent_on(sent_on))
        # Both bounds hold the moment itself, as the reference says: "on or before", "on or after".
        if sent_until:
            until = _moment(sent_until)
            filters.append(lambda message: _sent_at(message) <= until)
        if sent_since:
            since = _moment(sent_since)
            filters.append(lambda message: _sent_at(message) >= since)
        found = [
            message
            for message in reversed(self._account.messages)
            if all(holds(message) for holds in filters)
        ]
        return _page_of(found, request, page, min(page_size, _MAX_PAGE_SIZE), after)


def _moment(text: str) -> datetime:
    # A date without a time is its midnight in GMT.
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise TwilioRefusalError(Refusal.PARAMETER_INVALID, "DateSent") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sent_at(message: TwilioMessage) -> datetime:
    # Twilio keeps whole seconds; what is still on its way counts from when it was taken.
    return (message.sent_at or message.created_at).replace(microsecond=0)


def _is_sent_on(text: str) -> Callable[[TwilioMessage], bool]:
    moment = _moment(text)
    if moment.time() == time.min:
        day: date = moment.date()
        return lambda message: _sent_at(message).date() == day
    return lambda message: _sent_at(message) == moment


def _page_of(
    found: list[TwilioMessage], request: Request, page: int, size: int, after: str | None
) -> dict[str, Any]:
    """Cut a page, beginning after the message that the token names.

    A token and not an offset: messages that arrive while a client reads must not move the rest.
    """
    start = 0
    if after:
        sids = [message.sid for message in found]
        if (last_shown := after.removeprefix(_TOKEN_PREFIX)) not in sids:
            raise TwilioRefusalError(Refusal.PARAMETER_INVALID, "PageToken")
        start = sids.index(last_shown) + 1
    shown = found[start : start + size]

    def uri_of(number: int, token: str | None) -> str:
        query = [
            (name, value)
            for name, value in request.query_params.multi_items()
            if name not in {"Page", "PageSize", "PageToken"}
        ]
        query += [("PageSize", str(size)), ("Page", str(number))]
        if token:
            query.append(("PageToken", token))
        return f"{request.url.path}?{urlencode(query)}"

    has_more = start + size < len(found)
    return {
        "end": start + max(len(shown) - 1, 0),
        "first_page_uri": uri_of(0, None),
        "messages": [message.resource() for message in shown],
        "next_page_uri": uri_of(page + 1, _TOKEN_PREFIX + shown[-1].sid) if has_more else None,
        "page": page,
        "page_size": size,
        "previous_page_uri": None,
        "start": start,
        "uri": uri_of(page, after),
    }
