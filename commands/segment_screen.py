"""How one segment looks in a terminal, and to a program that reads it as JSON."""

from typing import Any

from rich.text import Text

from clinic.delivery_check import LeftOut
from clinic.segments.rule import Segment
from clinic.segments.size import SampledPatient, SegmentSize
from commands.terminal import console, new_table


def print_segment(segment: Segment, described: str, size: SegmentSize, rule: str) -> None:
    """Print a segment's rule, its size, who is left out and why, and a sample."""
    left_out = size.left_out.total()
    console.print(Text(segment.name, style="bold"), f": {described}", sep="")
    console.print(f"The rule: {rule}.")
    table = new_table("Of the segment", "patients")
    table.add_row("could get an attempt now, on some channel in use", str(size.patients - left_out))
    for reason, count in size.left_out.most_common():
        table.add_row(f"left out: {_words(reason)}", str(count))
    table.add_section()
    table.add_row("in the segment", str(size.patients))
    console.print(table)
    if not size.sample:
        return
    sample = new_table("Patient", "name", "last visit", "left out")
    for one in size.sample:
        sample.add_row(one.external_id, one.name, str(one.last_visit or ""), _why(one))
    console.print(sample)
    if size.patients > len(size.sample):
        console.print(f"... and {size.patients - len(size.sample)} more (--sample shows more)")


def as_json(segment: Segment, described: str, size: SegmentSize, rule: str) -> dict[str, Any]:
    """Return the same for a program."""
    return {
        "name": segment.name,
        "description": described,
        "rule": rule,
        "patients": size.patients,
        "left_out": {reason.value: count for reason, count in size.left_out.most_common()},
        "sample": [
            {
                "external_id": one.external_id,
                "name": one.name,
                "last_visit": one.last_visit.isoformat() if one.last_visit else None,
                "left_out": one.left_out[0].value if one.left_out else None,
                "left_out_rule": one.left_out[1] if one.left_out else "",
            }
            for one in size.sample
        ],
    }


def _why(patient: SampledPatient) -> str:
    if patient.left_out is None:
        return ""
    reason, rule = patient.left_out
    return f"{_words(reason)} ({rule})" if rule else _words(reason)


def _words(reason: LeftOut) -> str:
    return reason.value.replace("_", " ")
