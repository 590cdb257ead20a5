"""How an attempt ends, and why patients leave: the two closed lists that reports are made of."""

from enum import StrEnum


class Outcome(StrEnum):
    """How an attempt ended. Every attempt ends in exactly one."""

    BOOKED = "booked"
    DECLINED = "declined"
    OPTED_OUT = "opted_out"
    UNREACHABLE = "unreachable"
    EXHAUSTED = "exhausted"
    EXCLUDED = "excluded"
    CANCELLED = "cancelled"


class LossReason(StrEnum):
    """Why a patient left. Internal reasons are the clinic's to mend, external ones are not."""

    PRICE = "price"
    WAITING_TIME = "waiting_time"
    PAIN_OR_FEAR = "pain_or_fear"
    UNHAPPY_WITH_RESULT = "unhappy_with_result"
    UNHAPPY_WITH_STAFF = "unhappy_with_staff"
    HOURS = "hours"
    DISTANCE = "distance"
    MOVED_AWAY = "moved_away"
    HEALTH = "health"
    OTHER_CLINIC = "other_clinic"
    NO_TIME = "no_time"
    FINISHED_TREATMENT = "finished_treatment"
    OTHER = "other"

    @property
    def internal(self) -> bool:
        """Whether the reason lies with the clinic."""
        return self in _INTERNAL


_INTERNAL = frozenset(
    {
        LossReason.PRICE,
        LossReason.WAITING_TIME,
        LossReason.PAIN_OR_FEAR,
        LossReason.UNHAPPY_WITH_RESULT,
        LossReason.UNHAPPY_WITH_STAFF,
        LossReason.HOURS,
    }
)
