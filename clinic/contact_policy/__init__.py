"""When, how often and with what the clinic may contact a patient, and which rule decides."""

from clinic.contact_policy.allowance import (
    LOOKS_BACK,
    NotBefore,
    PastContact,
    closes_at,
    cooled_down,
    may_contact,
    next_opening,
)
from clinic.contact_policy.consent import Content, consent_lacking
from clinic.contact_policy.contact_calendar import ClosingDays, ContactCalendar
from clinic.contact_policy.length import too_long
from clinic.contact_policy.named_channels import refuse_unknown_channels
from clinic.contact_policy.patient_zone import calendar_for, zones_told_by
from clinic.contact_policy.policy import ContactPolicy

__all__ = [
    "LOOKS_BACK",
    "ClosingDays",
    "ContactCalendar",
    "ContactPolicy",
    "Content",
    "NotBefore",
    "PastContact",
    "calendar_for",
    "closes_at",
    "consent_lacking",
    "cooled_down",
    "may_contact",
    "next_opening",
    "refuse_unknown_channels",
    "too_long",
    "zones_told_by",
]
