"""The names by which Temporal knows the product: workflows, signals, ids, search attributes."""

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

TASK_QUEUE = "regresa"

RECOVERY_WORKFLOW = "RecoveryWorkflow"
CAMPAIGN_WORKFLOW = "CampaignWorkflow"

ATTEMPT_EVENT = "event"
"""Signal to an attempt: something happened outside."""
CAMPAIGN_NEWS = {
    "campaign_paused": "paused",
    "campaign_resumed": "resumed",
    "campaign_stopped": "stopped",
}
"""Event kind to the signal that tells a campaign of it."""

CAMPAIGN = SearchAttributeKey.for_keyword("RegresaCampaign")
SEGMENT = SearchAttributeKey.for_keyword("RegresaSegment")
PLAN = SearchAttributeKey.for_keyword("RegresaPlan")
STAGE = SearchAttributeKey.for_keyword("RegresaStage")
OUTCOME = SearchAttributeKey.for_keyword("RegresaOutcome")

SEARCH_ATTRIBUTES = (CAMPAIGN, SEGMENT, PLAN, STAGE, OUTCOME)
"""Every search attribute there is; the registering command and the dev server read this list."""

STAGE_MACHINE = "machine"
STAGE_PERSON = "person"
STAGE_ENDED = "ended"

ATTEMPT_MEMO = "attempt_id"


def of_campaign(campaign: str, segment: str, plan: str) -> TypedSearchAttributes:
    """Return the search attributes that tell which campaign a workflow belongs to."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(CAMPAIGN, campaign),
            SearchAttributePair(SEGMENT, segment),
            SearchAttributePair(PLAN, plan),
            SearchAttributePair(STAGE, STAGE_MACHINE),
        ]
    )


def attempt_workflow_id(patient_id: str) -> str:
    """Return the workflow id of a patient's attempt: one open attempt for each patient."""
    return f"attempt-{patient_id}"


def delivery_queue(task_queue: str, channel: str) -> str:
    """Return the task queue on which a channel's messages are delivered.

    Each channel has its own: the server keeps a channel's rate over all workers, and a provider
    that is slow holds up no other.

    Args:
        task_queue: The one on which the attempts' workflows run.
        channel: The channel's name.
    """
    return f"{task_queue}-{channel}"


def campaign_workflow_id(campaign_id: str) -> str:
    """Return the workflow id of a campaign."""
    return f"campaign-{campaign_id}"
