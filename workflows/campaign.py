"""One campaign, one execution: starts its attempts page by page, at its pace."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities import names
    from activities.interface import CampaignActivities
    from clinic.attempt import CampaignInput, PageResult, PageState
    from workflows.activity_options import PAGE

PAGES_A_RUN = 100
"""Then it continues as new: about 12 events a page keep a history far below Temporal's limits."""


@workflow.defn(name=names.CAMPAIGN_WORKFLOW)
class CampaignWorkflow:
    """Starts everybody in a campaign; what ops want stands in the database.

    Signals only say that there is news: the next page reads what it is. So a signal that comes
    early, late or twice does no harm.
    """

    @workflow.init
    def __init__(self, campaign: CampaignInput) -> None:
        """Begin with no news."""
        del campaign
        self._news = 0

    @workflow.run
    async def run(self, campaign: CampaignInput) -> PageState:
        """Start page after page until nobody is left; return how it ended."""
        for _ in range(PAGES_A_RUN):
            news = self._news
            page = await workflow.execute_activity_method(
                CampaignActivities.start_page, campaign, summary="start a page", **PAGE
            )
            workflow.set_current_details(_details(page))
            if page.state in (PageState.FINISHED, PageState.STOPPED):
                return page.state
            await self._wait_for_next_page(page, news)
        workflow.continue_as_new(campaign)  # raises: this run ends here

    @workflow.signal(name=names.CAMPAIGN_NEWS["campaign_paused"])
    def paused(self) -> None:
        """Ops paused the campaign."""
        self._news += 1

    @workflow.signal(name=names.CAMPAIGN_NEWS["campaign_resumed"])
    def resumed(self) -> None:
        """Ops resumed the campaign."""
        self._news += 1

    @workflow.signal(name=names.CAMPAIGN_NEWS["campaign_stopped"])
    def stopped(self) -> None:
        """Ops stopped the campaign."""
        self._news += 1

    async def _wait_for_next_page(self, page: PageResult, news: int) -> None:
        if page.state is PageState.PAUSED:
            await workflow.wait_condition(lambda: self._news > news)
        elif page.next_page_at is not None:
            pause = max(page.next_page_at - workflow.now(), timedelta(0))
            try:
                await workflow.wait_condition(
                    lambda: self._news > news, timeout=pause, timeout_summary="until the next page"
                )
            except TimeoutError:
                return


def _details(page: PageResult) -> str:
    state = {
        PageState.MORE: "Starting attempts.",
        PageState.PAUSED: "**Paused**: everybody keeps their place.",
        PageState.FINISHED: "Everybody has been started.",
        PageState.STOPPED: "**Stopped**.",
    }[page.state]
    waits = f" It {page.waits}." if page.waits else ""
    return f"{state} {page.remaining} still to be started.{waits}"
