"""What a call's page says for why a message failed, and why a campaign left a patient out."""

from clinic.delivery import FailReason
from clinic.delivery_check import LeftOut
from console.staff_words import N_

FAILED = {
    FailReason.REFUSED.value: N_("the address was refused"),
    FailReason.OPTED_OUT.value: N_("the patient had said stop"),
    FailReason.UNCERTAIN.value: N_("nobody can tell whether it was sent"),
    FailReason.UNAVAILABLE.value: N_("the provider could not be reached"),
    "bounced": N_("it came back"),
}
REFUSED_WITH = N_("could not be delivered, code %(code)s")
"""Whatever else a provider says: its code is for whoever looks it up."""

LEFT_OUT_ONE = {
    LeftOut.DECEASED: N_("has died"),
    LeftOut.MOVED: N_("has moved away"),
    LeftOut.INACTIVE: N_("is no longer an active patient"),
    LeftOut.OPTED_OUT: N_("asked not to be contacted"),
    LeftOut.ALREADY_BOOKED: N_("has an appointment"),
    LeftOut.OPEN_ATTEMPT: N_("was in another campaign at that time"),
    LeftOut.COOL_DOWN: N_("had been in a campaign not long before"),
    LeftOut.NO_WAY_TO_REACH: N_("no address that may be used, or no consent"),
    LeftOut.POSSIBLE_DUPLICATE: N_("may be on the register twice"),
    LeftOut.ERASED: N_("was forgotten, as they asked"),
    LeftOut.CAMPAIGN_OVER: N_("the campaign's last day came first"),
    LeftOut.CAMPAIGN_STOPPED: N_("the campaign was stopped first"),
}
"""Of one patient; `console.campaigns.words.LEFT_OUT` counts many."""
