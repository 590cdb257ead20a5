"""What staff read for the register's columns, and for what is wrong with a list."""

from clinic.register_import.file_refusal import FileProblem
from console.staff_words import N_

COLUMNS = {
    "row": N_("the whole row"),
    "patient_id": N_("patient's number"),
    "name": N_("name"),
    "name_surname_first": N_("name, surname first"),
    "first_name": N_("first name"),
    "middle_name": N_("middle name"),
    "last_name": N_("last name"),
    "second_last_name": N_("second last name"),
    "national_id": N_("national id"),
    "birth_date": N_("birth date"),
    "sex": N_("sex"),
    "occupation": N_("occupation"),
    "district": N_("district"),
    "language": N_("language"),
    "email": N_("email"),
    "phone": N_("phone"),
    "other_phone": N_("other phone"),
    "insurance": N_("insurance"),
    "provider": N_("doctor"),
    "preferred_channel": N_("wishes to be reached by"),
    "guardian_name": N_("guardian's name"),
    "guardian_email": N_("guardian's email"),
    "guardian_phone": N_("guardian's phone"),
    "guardian_number": N_("guardian's number"),
    "status": N_("status"),
    "deceased": N_("has died"),
    "loss_reason": N_("why they left"),
    "treatment": N_("treatment"),
    "last_visit": N_("last visit"),
    "visits": N_("number of visits"),
    "next_appointment": N_("next appointment"),
    "consent": N_("consent to every channel"),
    "do_not_contact": N_("do not contact"),
    "consent_email": N_("consent to email"),
    "consent_sms": N_("consent to SMS"),
    "consent_whatsapp": N_("consent to WhatsApp"),
    "consent_call": N_("consent to calls"),
    "consent_advertising": N_("consent to advertising"),
    "consent_date": N_("day of the consent"),
    "consent_source": N_("source of the consent"),
    # of a row as it was understood, beside the columns
    "external_id": N_("patient's number"),
    "phone_kind": N_("kind of phone"),
    "cancelled_appointment": N_("cancelled appointment"),
    "consents": N_("consents"),
    "consent_at": N_("day of the consent"),
}
"""What is not here, such as an element of FHIR, is shown as it is."""

VALUES = {
    "sex": {"female": N_("female"), "male": N_("male")},
    "status": {
        "active": N_("active"),
        "inactive": N_("inactive"),
        "deceased": N_("deceased"),
        "moved": N_("moved away"),
    },
    "phone_kind": {
        "mobile": N_("mobile"),
        "landline": N_("landline"),
        "unknown": N_("unknown"),
    },
}
"""Of a row as it was understood; the other closed lists stand in `console.staff_words`."""

ADVERTISING = N_("advertising")
AGREES, REFUSES = N_("agrees"), N_("refuses")
UNNAMED_COLUMNS = N_("columns without a name")

DELIMITERS = {
    ",": N_("a comma"),
    ";": N_("a semicolon"),
    "\t": N_("a tab"),
    "|": N_("a vertical line"),
}
DATE_ORDERS = {
    "dmy": N_("day/month/year"),
    "mdy": N_("month/day/year"),
    "ymd": N_("year/month/day"),
}
RESOURCES = {"Patient": N_("Patients"), "Appointment": N_("Appointments")}

MISSING = (N_("the patient's number"), N_("the patient's name"), N_("an email or a phone"))
"""As `clinic.register_import.columns.lacking` names what a list has to have."""

FILE_PROBLEMS = {
    FileProblem.EMPTY: N_("The file is empty. Export the list again, please."),
    FileProblem.NO_ROWS: N_("The list has a header, and no rows. Export it again, please."),
    FileProblem.OLD_OR_LOCKED_EXCEL: N_(
        "This is an old Excel file (.xls), or one that is protected by a password. Open it, "
        "save it as XLSX without a password, or as CSV, and choose it again."
    ),
    FileProblem.ANOTHER_FORMAT: N_(
        "This is another kind of file, such as a PDF, an archive or a database. Export the "
        "list as CSV or XLSX."
    ),
    FileProblem.MARKUP: N_(
        "This is a web page or XML, whatever its name says. Open it in a spreadsheet program, "
        "and save it as XLSX or CSV."
    ),
    FileProblem.JSON_IN_ONE_PIECE: N_(
        "This is JSON in one piece. Export it as NDJSON: one FHIR resource on each line."
    ),
    FileProblem.DAMAGED_WORKBOOK: N_(
        "This workbook is damaged, or it is none. Open it in a spreadsheet program, and save it "
        "as XLSX or CSV."
    ),
    FileProblem.NO_TEXT: N_(
        "This is no list: it may be a picture or a document. Export the list as CSV or XLSX."
    ),
    FileProblem.NOT_IN_ENCODING: N_(
        "Line %(line)s is not text in %(named)s. Choose another encoding below, or export the "
        "list again in UTF-8."
    ),
    FileProblem.UNKNOWN_ENCODING: N_("We do not know this encoding. Choose one from the list."),
    FileProblem.BROKEN_ROW: N_(
        "Line %(line)s can't be read. Often a quotation mark is opened there and never closed. "
        "Mend the line, or export the list again."
    ),
    FileProblem.CELL_TOO_LONG: N_(
        "A cell in line %(line)s is far too long. Often a quotation mark is opened there and "
        "never closed. Mend the cell, or empty it."
    ),
    FileProblem.NO_COLUMN: N_(
        "We found no column for %(named)s. Say below which column is which, and try again."
    ),
    FileProblem.UNCLEAR_DATES: N_(
        "The dates can be read in two ways (%(named)s): is the day or the month first? Say it "
        "below as date_order, dmy or mdy, and try again."
    ),
    FileProblem.UNKNOWN_STATUSES: N_(
        "We know none of the words in the column of statuses: %(named)s. Say below what they "
        "mean, under “values”, or “ignore” the column, and try again."
    ),
    FileProblem.NO_PATIENTS: N_(
        "There are neither patients nor appointments in this file. Export FHIR resources "
        "of the kind Patient or Appointment."
    ),
    FileProblem.MAPPING: N_("The mapping can't be used as it is. Mend it below, please."),
}
NEEDS_MAPPING = frozenset(
    {
        FileProblem.NO_COLUMN,
        FileProblem.UNCLEAR_DATES,
        FileProblem.UNKNOWN_STATUSES,
        FileProblem.MAPPING,
    }
)
"""What is mended by saying which column is which."""
NEEDS_ENCODING = frozenset({FileProblem.NOT_IN_ENCODING, FileProblem.UNKNOWN_ENCODING})

NOT_READ = N_("The list could not be read to its end.")
BROKE = N_("Something broke on our side while the list was read. Whoever runs the console sees it.")

NO_FILE = N_("Choose a file first, please.")
EMPTY_FILE = N_("The file is empty. Export the list again, please.")
TOO_LARGE = N_(
    "The file is too large: at most 200 MB are taken. Export the list in parts, or "
    "have it imported on the command line."
)
NO_ROOM = N_(
    "There is no room on the disk for this list. Nothing was kept. Tell whoever runs the console."
)

ENCODINGS = (
    "utf-8",
    "cp1252",
    "cp1251",
    "utf-16",
    "iso8859-1",
    "iso8859-15",
    "koi8-r",
    "cp866",
    "mac-roman",
)
"""Those that exports have; a mapping may name any other that Python knows."""
