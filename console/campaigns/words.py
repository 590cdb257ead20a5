"""What ops read of campaigns for the closed lists' values; the catalogs have the languages."""

from clinic.campaign_refusal import CampaignProblem
from clinic.campaigns import CampaignState
from clinic.delivery import SkipReason
from clinic.delivery_check import LeftOut
from console.staff_words import N_

CAMPAIGN_STATES = {
    CampaignState.RUNNING: N_("Running"),
    CampaignState.PAUSED: N_("Paused"),
    CampaignState.STOPPED: N_("Stopped"),
}

LEFT_OUT = {
    LeftOut.DECEASED: N_("Have died"),
    LeftOut.MOVED: N_("Have moved away"),
    LeftOut.INACTIVE: N_("Are no longer active patients"),
    LeftOut.OPTED_OUT: N_("Asked not to be contacted"),
    LeftOut.ALREADY_BOOKED: N_("Have an appointment already"),
    LeftOut.OPEN_ATTEMPT: N_("Are in another campaign just now"),
    LeftOut.COOL_DOWN: N_("Were in a campaign not long ago"),
    LeftOut.NO_WAY_TO_REACH: N_("Can't be reached (no address that may be used, or no consent)"),
    LeftOut.POSSIBLE_DUPLICATE: N_("May be on the register twice"),
    LeftOut.ERASED: N_("Were forgotten, as they asked"),
    LeftOut.CAMPAIGN_OVER: N_("The campaign's last day came first"),
    LeftOut.CAMPAIGN_STOPPED: N_("The campaign was stopped first"),
}

SKIPPED = {
    SkipReason.NO_ADDRESS: N_("no address"),
    SkipReason.BAD_ADDRESS: N_("an address that does not work"),
    SkipReason.SUPPRESSED: N_("nobody may write to that address"),
    SkipReason.NO_CONSENT: N_("no consent"),
    SkipReason.TOO_LONG: N_("the text is too long"),
    SkipReason.CAMPAIGN_OVER: N_("the campaign's last day has passed"),
    SkipReason.ALREADY_BOOKED: N_("has an appointment"),
    SkipReason.DECEASED: N_("has died"),
    SkipReason.MOVED: N_("has moved away"),
    SkipReason.INACTIVE: N_("is no longer an active patient"),
    SkipReason.OPTED_OUT: N_("asked not to be contacted"),
    SkipReason.POSSIBLE_DUPLICATE: N_("may be on the register twice"),
    SkipReason.ERASED: N_("was forgotten, as they asked"),
    SkipReason.ATTEMPT_OVER: N_("the attempt had ended"),
}

CAMPAIGN_PROBLEMS = {
    CampaignProblem.UNKNOWN: N_("There is no such campaign."),
    CampaignProblem.STOPPED: N_("This campaign was stopped: that is for good."),
    CampaignProblem.NAME: N_("Give the campaign a name of at most 100 characters, please."),
    CampaignProblem.NAME_IN_USE: N_(
        "There is a campaign of this name already. Choose another name, please."
    ),
    CampaignProblem.GOAL: N_("A goal is a percentage above 0 and up to 100, such as 15."),
    CampaignProblem.PACE: N_("A pace is a whole number of patients an hour, such as 60."),
    CampaignProblem.LAST_DAY: N_("That is no day. Choose one from the calendar, please."),
    CampaignProblem.DAY_OVER: N_("That day is over. Choose a later one, please."),
    CampaignProblem.OPEN_CALLS: N_("Write how many calls may be open, as a whole number from 1."),
    CampaignProblem.NOBODY: N_("Nobody is in this segment now, so nothing was started."),
}
