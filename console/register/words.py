"""What the register's pages say for the values of closed lists; the catalogs have the languages."""

from clinic.audit import Action
from clinic.outcome import LossReason
from clinic.register.hits import FoundBy
from clinic.register.standing import PatientStatus
from clinic.register.typed_fields import FieldProblem
from clinic.register_import.possible_duplicates import BIRTH_DATE, NATIONAL_ID, PHONE
from console.staff_words import CHANNELS, LANGUAGES, N_, REASONS

STATUSES = {
    PatientStatus.ACTIVE.value: N_("Current patient"),
    PatientStatus.INACTIVE.value: N_("Former patient"),
    PatientStatus.DECEASED.value: N_("Deceased"),
    PatientStatus.MOVED.value: N_("Moved to another place"),
}

FIELDS = {
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "birth_date": N_("Date of birth"),
    "language": N_("Language"),
    "email": N_("Email address"),
    "phone": N_("Phone"),
    "other_phone": N_("Second phone"),
    "preferred_channel": N_("Likes to be reached by"),
    "guardian_name": N_("Guardian's name"),
    "guardian_number": N_("Guardian's number at the clinic"),
    "guardian_email": N_("Guardian's email address"),
    "guardian_phone": N_("Guardian's phone"),
    "district": N_("District"),
    "occupation": N_("Occupation"),
    "insurance": N_("Insurance"),
    "provider": N_("Doctor"),
    "status": N_("Status"),
    "loss_reason": N_("Why they left"),
}

GROUPS = (
    (N_("Who it is"), ("first_name", "last_name", "birth_date", "language")),
    (N_("How they are reached"), ("email", "phone", "other_phone", "preferred_channel")),
    (
        N_("Guardian of a minor"),
        ("guardian_name", "guardian_number", "guardian_email", "guardian_phone"),
    ),
    (N_("About them"), ("district", "occupation", "insurance", "provider")),
    (N_("At the clinic"), ("status", "loss_reason")),
)
"""The form's parts, each with its fields."""

HINTS = {
    "phone": N_("Messages and calls go to this number."),
    "other_phone": N_("It is called, and never written to."),
    "guardian_number": N_("Where the guardian is on the register too."),
    "status": N_("Whoever is no patient any more gets no messages: an open attempt ends."),
}

CHOICE_WORDS = {
    "language": LANGUAGES,
    "preferred_channel": CHANNELS,
    "status": STATUSES,
    "loss_reason": {reason.value: REASONS[reason] for reason in LossReason},
}

FIELD_PROBLEMS = {
    FieldProblem.MISSING: N_("This can't be empty."),
    FieldProblem.NO_NAME: N_("There is no letter in this name."),
    FieldProblem.TOO_LONG: N_("That is too long: 200 characters at the most."),
    FieldProblem.NO_EMAIL: N_("No mail can be sent to this address. Write one whole address."),
    FieldProblem.NO_PHONE: N_(
        "There is no such number. Write it with the area code, from abroad with + and the country."
    ),
    FieldProblem.EXTENSION: N_("An extension has no place here: write the number alone."),
    FieldProblem.TWICE: N_("Both phones are the same number: leave the second one empty."),
    FieldProblem.NO_BIRTH_DATE: N_("Nobody here was born on that day. Write it as 1980-02-28."),
    FieldProblem.UNCLEAR_DATE: N_("That may be two different days. Write it as 1980-02-28."),
    FieldProblem.NOT_LISTED: N_("Choose one of the list, please."),
    FieldProblem.NOBODY: N_("Nobody on the register has this number."),
    FieldProblem.OWN_NUMBER: N_("This is the patient's own number."),
    FieldProblem.MEANWHILE: N_(
        "Somebody has changed this to “%(now)s” meanwhile. You wrote “%(yours)s”: save again to "
        "keep yours, or write what is right."
    ),
}
NOTHING = N_("nothing")

FOUND_BY = {
    FoundBy.NAME: N_("By their name:"),
    FoundBy.EXACT: N_("Found:"),
    FoundBy.ENDING: N_("Nobody has exactly this number. These end alike:"),
}

WHY_ALIKE = {
    NATIONAL_ID: N_("the same national id"),
    BIRTH_DATE: N_("the same name and date of birth"),
    PHONE: N_("the same name and phone"),
}

CONTENTS = {"reminder": N_("Reminders"), "advertising": N_("Advertising")}

NOTICES = {
    "saved": N_("Saved."),
    "unchanged": N_("Nothing was different: all stays as it was."),
    "alike": N_(
        "Saved. Somebody else on the register may be the same person: until that is settled, this "
        "patient is in no campaign."
    ),
    "stopped": N_("Nobody writes to them any more."),
    "stopped-before": N_("They had said so before: nobody writes to them."),
    "lifted": N_("The clinic may write to them again."),
    "not-stopped": N_("Nothing kept the clinic from writing to them."),
    "booked": N_("The appointment is noted. An open attempt ends as booked."),
    "booked-before": N_("This appointment stands in the book already."),
    "consent": N_("What they said is recorded."),
    "consent-before": N_("That was recorded before: nothing changes."),
    "same": N_("It is one person: one row stands for both now."),
    "different": N_("They are two people: both may be in campaigns again."),
    "settled-before": N_("Somebody else has settled that meanwhile."),
    "same-person": N_("The number that you opened is of the same person: this row was kept."),
}
"""What a card says at its head after a change, by what its address says."""

WHO_SAID = {
    "patient": N_("The patient"),
    "guardian": N_("The guardian of a minor"),
    "mistake": N_("Nobody: the stop was a mistake of ours"),
}
HOW_SAID = {
    "in_person": N_("At the clinic"),
    "by_phone": N_("By phone"),
    "in_writing": N_("In writing"),
}

ACTIONS = {
    Action.SEARCHED: N_("searched"),
    Action.VIEWED: N_("looked at the card"),
    Action.EXPORTED: N_("downloaded all that is held"),
    Action.CHANGED: N_("changed"),
    Action.FORGOTTEN: N_("forgot the person"),
    Action.IMPORTED: N_("brought in by an import"),
    Action.CLAIMED: N_("took the call"),
    Action.RELEASED: N_("gave the call back"),
    Action.COMPLETED: N_("completed the call"),
}
"""Of those that concern a patient."""

CHANGES = {
    "consent": N_("what they agree to"),
    "stop": N_("said stop"),
    "lift": N_("may be written to again"),
    "booked": N_("an appointment"),
    "same_person": N_("whether it is the same person"),
    "late_report": N_("a call that came after a colleague's"),
    "no_call": N_("closed without a call"),
    "call_list": N_("saw it on the call list"),
    "search": N_("in the results of a search"),
    "address": N_("beside an address that stands on the card"),
}
"""What else than fields was changed, or where it was seen, as the audit log has it."""
