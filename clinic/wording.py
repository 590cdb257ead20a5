"""What one patient reads in one message: the template, filled with the minimum."""

from clinic.folder import LANGUAGES, ClinicProfile
from clinic.plan import Step
from clinic.template import Template, Words

_SMS = "sms"


def language_for(written: str | None, profile: ClinicProfile) -> str:
    """Return the language to write in: the patient's, or the clinic's own."""
    return written if written in LANGUAGES else profile.language


def words_for(
    template: Template,
    step: Step,
    *,
    first_name: str,
    language: str,
    link: str,
    profile: ClinicProfile,
) -> Words:
    """Fill a step's template for one patient."""
    by_sms = step.channel == _SMS
    values = {
        "first_name": first_name,
        "clinic": (profile.sms_name if by_sms else "") or profile.name,
        "clinic_phone": profile.phone,
        "booking_url": profile.booking_url,
        "link": link,
    }
    return template.render(language, step.channel, values)
