"""The final tables for people."""

from rich import box
from rich.console import Console
from rich.table import Table

from chaos.run import Result
from chaos.verdict import Finding

_MOST_FINDINGS = 20


def print_results(results: list[Result], console: Console) -> None:
    """Print what was done to the runs, what came of them, and every finding."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("")
    for result in results:
        table.add_column(f"seed {result.seed}", justify="right")
    for name, values in _rows(results):
        table.add_row(name, *values)
    console.print(table)
    for result in results:
        _print_findings(result, console)


def _rows(results: list[Result]) -> list[tuple[str, list[str]]]:
    verdicts = [result.verdict for result in results]
    kills = [result.kills for result in results]
    rows: list[tuple[str, list[object]]] = [
        ("attempts", [verdict.attempts for verdict in verdicts]),
        ("seconds", [f"{result.seconds:.0f}" for result in results]),
        ("[bold]killed with -9", []),
        ("  worker", [kill.worker for kill in kills]),
        (
            "    between acceptance and record",
            [kill.between_acceptance_and_record for kill in kills],
        ),
        ("    between claim and sending", [kill.between_claim_and_sending for kill in kills]),
        ("  Temporal's server", [kill.server for kill in kills]),
        ("  console", [kill.console for kill in kills]),
        ("  ended by itself", [sum(result.gave_up.values()) for result in results]),
        ("[bold]faults", []),
        *_by_key("  ", [result.faults for result in results]),
        ("[bold]taken by the providers", []),
        *_by_key("  submissions, ", [verdict.submissions for verdict in verdicts]),
        ("  mails taken again under their Message-ID", [verdict.folded for verdict in verdicts]),
        ("[bold]in the patients' mailboxes and telephones", []),
        *_by_key("  ", [verdict.messages for verdict in verdicts]),
        ("[bold]answers of patients", []),
        *_by_key("  ", [verdict.replies for verdict in verdicts]),
        ("[bold]attempts ended", []),
        *_by_key("  ", [verdict.outcomes for verdict in verdicts]),
        ("  on the call list, with a person", [verdict.with_person for verdict in verdicts]),
        ("[bold]verdict", []),
        ("  a step twice to one patient", [_bad(verdict.duplicates) for verdict in verdicts]),
        ("  lost", [_bad(verdict.losses) for verdict in verdicts]),
        ("  sent after a stop", [_bad(verdict.after_stop) for verdict in verdicts]),
        ("  on the way already when the stop came", [one.on_the_way for one in verdicts]),
        ("  finished in time", ["yes" if result.in_time else "[red]no[/]" for result in results]),
        (
            "  kills enough",
            ["yes" if result.quota_is_met else "[red]quota not met[/]" for result in results],
        ),
    ]
    return [(name, [str(value) for value in values]) for name, values in rows]


def _by_key(indent: str, counts: list[dict[str, int]]) -> list[tuple[str, list[object]]]:
    keys = dict.fromkeys(key for count in counts for key in count)
    return [
        (f"{indent}{key.replace('_', ' ')}", [count.get(key, 0) for count in counts])
        for key in keys
    ]


def _bad(findings: tuple[Finding, ...]) -> str:
    return f"[red]{len(findings)}[/]" if findings else "[green]0[/]"


def _print_findings(result: Result, console: Console) -> None:
    verdict = result.verdict
    for title, findings in (
        ("twice", verdict.duplicates),
        ("lost", verdict.losses),
        ("after a stop", verdict.after_stop),
    ):
        for finding in findings[:_MOST_FINDINGS]:
            said = f"seed {result.seed}, {title}: {finding.patient} {finding.what}"
            console.print(said, soft_wrap=True, markup=False, highlight=False)
        if len(findings) > _MOST_FINDINGS:
            console.print(f"seed {result.seed}, {title}: and {len(findings) - _MOST_FINDINGS} more")
    for name, times in result.gave_up.items():
        console.print(f"seed {result.seed}: {name} ended by itself {times} times")
    if not (result.holds and result.quota_is_met):
        console.print(f"seed {result.seed}: databases and logs are kept in {result.state}")
