"""What staff's pages know of the engine behind the console: Temporal, where attempts run."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlencode

from activities import names, temporal_connection
from clinic.clinic import Clinic
from console.clock import Clock
from console.engine_watch import Delay, EngineWatch

_QUOTES = frozenset("\"'`\\")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The engine, as far as pages speak of it; made without anything, they do not.

    Attributes:
        ui_url: Of Temporal's UI, without a slash at its end; empty: nobody is led there.
        namespace: Where attempts run.
        watch: Looks whether what is recorded is passed on.
    """

    ui_url: str = ""
    namespace: str = "default"
    watch: EngineWatch | None = None

    @classmethod
    def of(cls, clinic: Clinic, clock: Clock) -> Self:
        """Return the engine that the settings and the environment name.

        Raises:
            Refusal: Temporal's own settings can't be read.
        """
        return cls(
            ui_url=clinic.settings.temporal_ui_url.rstrip("/"),
            namespace=temporal_connection.namespace(),
            watch=EngineWatch(clinic.database, clock),
        )

    @property
    def delay(self) -> Delay | None:
        """Why what is recorded just now is passed on later; None: it is not."""
        return self.watch.delay if self.watch is not None else None

    def page_of(self, patient_id: str, campaign: str) -> str:
        """Return where Temporal's UI shows a patient's attempt; empty: nowhere.

        It is a list of one: all attempts of a patient share the workflow id, which is made from
        the patient's opaque id, and the campaign tells them apart. Where the campaign's name has
        quotation marks, which the UI's filter can't read, it is a list of all of them.

        Args:
            patient_id: Whose attempt.
            campaign: The campaign's name.
        """
        if not self.ui_url:
            return ""
        query = f'WorkflowId="{names.attempt_workflow_id(patient_id)}"'
        if not _QUOTES & set(campaign):
            query = f'{query} AND {names.CAMPAIGN.name}="{campaign}"'
        namespace = quote(self.namespace, safe="")
        return f"{self.ui_url}/namespaces/{namespace}/workflows?{urlencode({'query': query})}"
