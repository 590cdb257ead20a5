"""A plan: the declared ladder of steps that an attempt climbs."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from clinic.duration import Duration
from clinic.multilingual import NOTHING, Multilingual, Title

CALL = "call"
"""The channel in which a person, not the machine, reaches the patient."""

LONGEST_WAIT = timedelta(days=366)
"""A longer wait is taken for a slip of the pen."""


class Step(BaseModel):
    """One rung of a plan.

    Attributes:
        channel: The name of an installed channel, such as `email`, `sms` or `call`.
        template: The content to send; a file of the clinic's `templates/`.
        wait: After a message, how long to wait for an answer before the next step; for a call,
            how long the person has to make it.
        tries: Calls that nobody answers before the step is over, a day apart (calls only).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: str
    template: str
    wait: Duration
    tries: Annotated[int, Field(ge=1, le=10)] = 1

    @field_validator("wait")
    @classmethod
    def _wait_is_sensible(cls, wait: timedelta) -> timedelta:
        if wait <= timedelta(0):
            raise ValueError("a wait must be longer than zero")
        if wait > LONGEST_WAIT:
            raise ValueError(f"a wait must be at most {LONGEST_WAIT.days} days")
        return wait

    @model_validator(mode="after")
    def _only_calls_have_tries(self) -> Self:
        if self.tries > 1 and not self.by_person:
            raise ValueError("tries are for the call step: a message is sent once")
        return self

    @property
    def by_person(self) -> bool:
        """Whether a person delivers this step."""
        return self.channel == CALL


class Plan(BaseModel):
    """A ladder of steps, tried in order until the patient answers.

    Attributes:
        title: What it is called where people choose it. Like the description it stays in the
            file: a campaign's snapshot, and what travels with an attempt, name the plan only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: Annotated[Title, Field(exclude=True)] = NOTHING
    description: Annotated[Multilingual, Field(exclude=True)] = NOTHING
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @property
    def takes(self) -> timedelta:
        """How long it is from the first message to the end of the last step's time.

        That is if nobody answers and every step may go out at once; calls that nobody answers
        are tried again after it.
        """
        return sum((step.wait for step in self.steps), timedelta(0))
