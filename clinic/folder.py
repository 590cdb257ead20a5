"""The clinic's folder: who the clinic is, its segments, plans, templates and policies."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from clinic.contact_policy import ClosingDays, ContactCalendar, ContactPolicy
from clinic.multilingual import LANGUAGES, NOTHING, Multilingual, Title
from clinic.plan import Plan
from clinic.refusal import Refusal
from clinic.results.costs import Costs
from clinic.segments.rule import Segment
from clinic.template import Template
from clinic.yaml_document import Document, read_yaml

_SINGULAR = {
    "segments": "segment",
    "plans": "plan",
    "templates": "template",
    "policies": "contact policy",
}
_Version = tuple[int, int]
_SHIPPED = Path(__file__).with_name("policies")

LanguageCode = Annotated[str, Field(pattern=f"^({'|'.join(LANGUAGES)})$")]


class ClinicProfile(BaseModel):
    """`clinic.yaml`: who writes, from where, and by which policy.

    Attributes:
        name: As patients know it.
        sms_name: As it stands in an SMS; without accents it costs half as many segments.
        country: ISO 3166 code; phone numbers without a prefix are read as this country's.
        timezone: IANA name; hours and days are meant in it.
        language: For patients whose language the register does not know.
        phone: The clinic's own number, E.164.
        booking_url: Where a patient books; empty: by a call.
        contact_policy: The name of a file in `policies/`, or of a policy that is shipped.
        closing_days: Days on which the clinic contacts nobody, in its time zone.
        open_calls_at_most: A campaign starts nobody new while so many call tasks are open.
        feedback_incentive: What a patient gets for saying why they left, by language; it may
            count as advertising.
        costs: What a message and a call cost, for the results; None: they show no costs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sms_name: str = ""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    timezone: str
    language: LanguageCode
    phone: Annotated[str, Field(pattern=r"^\+\d{7,15}$")]
    booking_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")]
    contact_policy: str
    closing_days: ClosingDays = frozenset()
    open_calls_at_most: Annotated[int, Field(ge=1)] | None = None
    feedback_incentive: Mapping[LanguageCode, Annotated[str, Field(max_length=300)]] = {}
    costs: Costs | None = None

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f"`{name}` is no time zone: write for example America/Bogota"
            ) from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def calendar(self) -> ContactCalendar:
        """The clinic's time zone and closing days."""
        return ContactCalendar(zone=self.zone, closing_days=self.closing_days)


class Heading(BaseModel):
    """What a file is called, and what it says of itself; of all else in it nothing is asked."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    title: Title = NOTHING
    description: Multilingual = NOTHING


class ClinicFolder:
    """The folder, read as it is asked for and checked as it is read.

    Args:
        path: The folder.
        contact_policy: Overrules the policy that clinic.yaml names.

    Raises:
        Refusal: There is no clinic.yaml there, or it is wrong.
    """

    def __init__(self, path: Path, contact_policy: str | None = None) -> None:
        if not (path / "clinic.yaml").is_file():
            raise Refusal(
                f"{path} is no clinic's folder: it has no clinic.yaml",
                "Point --clinic (or REGRESA_CLINIC) at the folder that has one.",
            )
        self.path = path
        self.profile = read_yaml(path / "clinic.yaml", ClinicProfile)
        self._templates: dict[str, tuple[_Version, Template]] = {}
        self._headings: dict[Path, tuple[_Version, Heading]] = {}
        self._policy_name = contact_policy or self.profile.contact_policy

    def policy(self, name: str | None = None) -> ContactPolicy:
        """Return a contact policy: the clinic's own of that name, else the one that is shipped.

        Args:
            name: The file's name without `.yaml`; None: the policy in force.

        Raises:
            Refusal: No such policy, or a problem with file, line and field.
        """
        name = name or self._policy_name
        if name not in self.names("policies") and name in _names_in(_SHIPPED):
            return read_yaml(_SHIPPED / f"{name}.yaml", ContactPolicy)
        return read_yaml(self._named("policies", name), ContactPolicy)

    def segment(self, name: str) -> Segment:
        """Return a segment by its name."""
        return read_yaml(self._named("segments", name), Segment, name=name)

    def segments(self) -> list[Segment]:
        """Return every segment, by name."""
        return [self.segment(name) for name in self.names("segments")]

    def plan(self, name: str, channels: Collection[str]) -> Plan:
        """Return a plan by its name.

        Args:
            name: The file's name without `.yaml`.
            channels: The channels in use; a step on any other is refused.

        Raises:
            Refusal: No such plan, or a problem with file, line and field.
        """
        document = Document(self._named("plans", name))
        plan = document.as_model(Plan, name=name)
        problems: list[str] = []
        for index, step in enumerate(plan.steps):
            if step.channel not in channels:
                known = ", ".join(sorted(channels))
                what = f"no channel `{step.channel}` is in use (in use: {known})"
                problems.append(document.problem(("steps", index, "channel"), what))
            elif step.template not in self.names("templates"):
                known = ", ".join(self.names("templates")) or "none"
                what = f"no template `{step.template}` (there are: {known})"
                problems.append(document.problem(("steps", index, "template"), what))
            else:
                problems.extend(self._gaps(document, index, step.template, step.channel))
        if problems:
            raise Refusal("\n".join(problems))
        return plan

    def template(self, name: str) -> Template:
        """Return a template by its name.

        It is read again when its file changes: every delivery asks for it, and reading it takes
        longer than all else that a delivery does.
        """
        path = self._named("templates", name)
        version = _version(path)
        known = self._templates.get(name)
        if known is None or known[0] != version:
            known = (version, read_yaml(path, Template, name=name))
            self._templates[name] = known
        return known[1]

    def heading(self, kind: str, name: str) -> Heading:
        """Return what a file is called, as it stands there now; nothing where it can't be read.

        Args:
            kind: `segments`, `plans` or `templates`.
            name: The file's name without `.yaml`; the file may be gone.
        """
        try:
            path = self._named(kind, name)
            version = _version(path)
            known = self._headings.get(path)
            if known is None or known[0] != version:
                known = (version, read_yaml(path, Heading))
                self._headings[path] = known
        except (Refusal, OSError, ValueError):  # a name that no file can have
            return Heading()
        return known[1]

    def names(self, kind: str) -> list[str]:
        """Return the names of all files of a kind: `segments`, `plans`, `templates`, `policies`."""
        return _names_in(self.path / kind)

    def _gaps(self, document: Document, index: int, template: str, channel: str) -> list[str]:
        content = self.template(template)
        gaps = [content.gap(language, channel) for language in LANGUAGES]
        where = ("steps", index, "template")
        return [
            document.problem(where, f"template `{template}` has {gap}")
            for gap in gaps
            if gap is not None
        ]

    def _named(self, kind: str, name: str) -> Path:
        path = self.path / kind / f"{name}.yaml"
        # a name is no way out of the folder
        if not path.is_file() or path.parent != self.path / kind:
            known = ", ".join(self.names(kind)) or "none"
            shipped = f"; shipped: {', '.join(_names_in(_SHIPPED))}" if kind == "policies" else ""
            raise Refusal(
                f"no {_SINGULAR[kind]} `{name}` in {self.path / kind}",
                f"There are: {known}{shipped}",
            )
        return path


def _version(path: Path) -> _Version:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


def _names_in(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))
