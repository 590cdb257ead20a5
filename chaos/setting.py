"""What one run is made of: the clinic's folder, the plan, the faults, the programs' environment."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chaos import register
from chaos.programs import ROOT, free_ports, local_settings
from deploy.local.settings import HOST, LocalSettings, environment, write_exports

CAMPAIGN = "chaos"
SEGMENT = "lapsed-orthodontics"
PLAN = "chaos"
CHANNELS = ("email", "sms")
"""The plan's machine channels: each stands in one step, so that a channel names its step."""

FAULTS: Mapping[str, float] = {
    "smtp_cut_after_data": 0.04,
    "smtp_451": 0.04,
    "twilio_429": 0.05,
    "twilio_500": 0.03,
    "twilio_503": 0.04,
    "twilio_accept_then_silence": 0.02,
    "webhook_repeat": 0.15,
    "webhook_reorder": 0.15,
}
"""The share of all submissions or webhooks that meets each fault."""

_PERSONAS = {
    "books_after_email": 0.10,
    "books_after_sms": 0.08,
    "replies_by_sms": 0.15,
    "replies_by_email": 0.10,
    "stops_by_email": 0.08,
    "stops_by_sms": 0.08,
    "asks_for_a_call": 0.12,
    "scanner": 0.12,
    "never_answers": 0.17,
}
_REPEATS = (0.2, 0.3, 0.5, *(1.0,) * 40)
"""Seconds between two tries of whoever brings an answer: longer than the console is ever away."""


@dataclass(frozen=True)
class Setting:
    """One run, before anything is started.

    Attributes:
        patients: On the register; each gets an attempt.
        seed: Decides everything that is left to chance.
        state: The folder of all that the run leaves behind.
        local: The ports.
        environment: Of the programs.
        register_file: What is imported.
        fail_points: The folder in which a file makes the worker kill itself.
    """

    patients: list[register.InventedPatient]
    seed: int
    state: Path
    local: LocalSettings
    environment: dict[str, str]
    register_file: Path
    fail_points: Path


def prepare(attempts: int, seed: int, state: Path, *, waits: tuple[float, float]) -> Setting:
    """Write the clinic's folder and the register, and decide on the environment.

    Args:
        attempts: The number of patients.
        seed: Decides who they are, how they answer and which faults come when.
        state: An empty folder, or none yet.
        waits: Seconds after the email and after the SMS.
    """
    state.mkdir(parents=True, exist_ok=True)
    clinic_folder = _write_clinic(state / "clinic", waits)
    patients = register.invent(attempts, seed)
    register_file = state / "register.csv"
    register.write(patients, register_file)
    fail_points = state / "fail-points"
    fail_points.mkdir(exist_ok=True)
    local = local_settings(state)
    variables = environment(local, state, demonstration=True) | {
        "PYTHONPATH": str(ROOT),
        "REGRESA_CLINIC": str(clinic_folder),
        "REGRESA_WORKER_WAIT": "60",
        "REGRESA_FAIL_POINTS": str(fail_points),
        "REGRESA_SANDBOX_SEED": str(seed),
        "REGRESA_SANDBOX_FAULTS": json.dumps(FAULTS),
        "REGRESA_SANDBOX_REGISTER_FILE": str(register_file),
        "REGRESA_SANDBOX_WEBHOOK_PAUSES": json.dumps(_REPEATS),
        "REGRESA_SANDBOX_PAGE_PAUSES": json.dumps(_REPEATS),
        "REGRESA_SANDBOX_PATIENTS_SIGN": "true",
        "REGRESA_SANDBOX_PERSONA_WEIGHTS": json.dumps(_PERSONAS),
        # some answer before the next step, some while it is being sent, some after
        "REGRESA_SANDBOX_ANSWER_AFTER": json.dumps([0.5, max(waits) * 1.5 + 1]),
    }
    variables |= _mailbox(variables)
    write_exports(variables, state)
    return Setting(patients, seed, state, local, variables, register_file, fail_points)


def _mailbox(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the clinic's mailbox, in which replies by mail arrive."""
    (port,) = map(str, free_ports(1))
    return {
        "REGRESA_SANDBOX_IMAP_PORT": port,
        "REGRESA_EMAIL_IMAP_HOST": HOST,
        "REGRESA_EMAIL_IMAP_PORT": port,
        "REGRESA_EMAIL_IMAP_SECURITY": "none",
        "REGRESA_EMAIL_IMAP_USERNAME": variables["REGRESA_EMAIL_USERNAME"],
        "REGRESA_EMAIL_IMAP_PASSWORD": variables["REGRESA_EMAIL_PASSWORD"],
    }


def _write_clinic(folder: Path, waits: tuple[float, float]) -> Path:
    shutil.copytree(ROOT / "examples" / "clinic", folder, dirs_exist_ok=True)
    profile = folder / "clinic.yaml"
    lines = profile.read_text(encoding="utf-8").splitlines()
    # a full call list would hold the starts back: here everything is to happen at once
    kept = [line for line in lines if not line.startswith("open_calls_at_most")]
    profile.write_text("\n".join(kept) + "\n", encoding="utf-8")
    email, sms = waits
    (folder / "plans" / f"{PLAN}.yaml").write_text(
        f"""\
description: Every step within seconds, while all around is killed
steps:
  - {{channel: email, template: come-back, wait: {email:.0f} seconds}}
  - {{channel: sms, template: come-back, wait: {sms:.0f} seconds}}
  - {{channel: call, template: come-back, wait: 1 minute, tries: 1}}
""",
        encoding="utf-8",
    )
    return folder
