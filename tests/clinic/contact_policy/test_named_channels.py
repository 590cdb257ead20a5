"""A rule for a channel that does not exist would protect nobody."""

from pathlib import Path

import pytest

from clinic.contact_policy import ContactPolicy, refuse_unknown_channels
from clinic.refusal import Refusal
from clinic.yaml_document import read_yaml

SHIPPED = Path(__file__).parents[3] / "clinic" / "policies"
INSTALLED = ("call", "email", "sms", "whatsapp")


def policy(**given: object) -> ContactPolicy:
    law = {"source": "house rule", "since": "2026-01-01"}
    hours = law | {"monday": "09:00-20:00"}
    rules = {name: [rule | law for rule in written] for name, written in given.items()}  # type: ignore[attr-defined]
    return ContactPolicy.model_validate({"contact_hours": hours} | rules)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        pytest.param(
            {"consent": [{"content": "reminder", "channels": ["sms", "smoke"], "needs": "given"}]},
            "consent: rule 1: no channel `smoke`",
            id="consent",
        ),
        pytest.param(
            {"length": [{"channel": "smss", "content": "reminder", "characters": 160}]},
            "length: rule 1: no channel `smss`",
            id="length",
        ),
    ],
)
def test_a_misspelt_channel_is_refused_with_its_rule(given: dict[str, object], where: str) -> None:
    with pytest.raises(Refusal, match=where) as refused:
        refuse_unknown_channels(policy(**given), INSTALLED)
    assert refused.value.remedy == "Installed: call, email, sms, whatsapp"


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in SHIPPED.glob("*")])
def test_a_shipped_policy_names_channels_that_are_there(path: Path) -> None:
    refuse_unknown_channels(read_yaml(path, ContactPolicy), INSTALLED)
