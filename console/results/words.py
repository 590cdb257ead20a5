"""What the results say for the closed lists' values; the catalogs have the languages."""

from clinic.results.facts import Stage
from clinic.results.results import AgainstGoal
from console.staff_words import N_

STAGES = {
    Stage.IN_SEGMENT: N_("In the segment"),
    Stage.CONTACTED: N_("Contacted"),
    Stage.ANSWERED: N_("Answered"),
    Stage.BOOKED: N_("Booked"),
    Stage.CAME: N_("Came"),
}
"""See `clinic.results.facts` for what each means."""

AGAINST_GOAL = {
    AgainstGoal.ABOVE: N_("above the goal"),
    AgainstGoal.BELOW: N_("below the goal"),
    AgainstGoal.OPEN: N_("too close to the goal to tell"),
}

RESULT_PARTS = {
    "funnel": N_("The way back"),
    "campaigns": N_("Campaigns"),
    "segments": N_("Segments"),
    "weeks": N_("Weeks"),
    "channels": N_("Channels"),
    "steps": N_("Steps"),
    "reasons": N_("Why they do not come"),
    "costs": N_("Costs"),
    "callers": N_("Calls by person"),
}
"""The parts of the results, as headings and in the file."""
