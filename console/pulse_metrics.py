"""The clinic's pulse as Prometheus reads it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clinic.pulse import Pulse


class PulseMetrics(Collector):
    """The pulse as Prometheus reads it.

    Args:
        channels: Names of those in use; each is told of, held or not.
    """

    def __init__(self, channels: Iterable[str]) -> None:
        self._channels = tuple(channels)
        self._pulse: Pulse | None = None
        self._oldest = 0.0

    def show(self, pulse: Pulse | None, now: datetime) -> None:
        """Show this from now on; None: the database could not be asked."""
        self._pulse = pulse
        since = pulse.waiting_since if pulse else None
        self._oldest = max((now - since).total_seconds(), 0.0) if since else 0.0

    def collect(self) -> Iterator[Metric]:
        """Give each figure."""
        is_up = self._pulse is not None
        yield _gauge("database_up", "Whether the database could be asked (1) or not (0).", is_up)
        if self._pulse is not None:
            yield from self._figures(self._pulse)

    def _figures(self, pulse: Pulse) -> Iterator[Metric]:
        yield _gauge("call_tasks_open", "Tasks on the call list.", pulse.calls_open)
        yield _gauge("call_tasks_overdue", "Those whose due time has passed.", pulse.calls_overdue)
        yield _gauge(
            "events_unrelayed",
            "Answers and outcomes that no workflow has heard of yet.",
            pulse.events_waiting,
        )
        yield _gauge(
            "events_unrelayed_oldest_seconds",
            "For how long the oldest of these has waited; 0: there is none.",
            self._oldest,
        )
        attempts = GaugeMetricFamily(
            "regresa_attempts_open",
            "Open attempts, by who has the next word and by the latest step that was taken.",
            labels=("stage", "step"),
        )
        for (stage, step), count in sorted(pulse.attempts_open.items()):
            attempts.add_metric((stage.value, str(step)), count)
        yield attempts
        yield _counted("messages_sent", "Messages sent.", "channel", pulse.messages_sent)
        yield _counted("replies_received", "Patients' replies.", "source", pulse.replies)
        yield from self._holds(pulse)
        yield _gauge(
            "imports_unfinished",
            "Imports that have not reached their file's end.",
            pulse.imports_unfinished,
        )
        yield CounterMetricFamily(
            "regresa_sign_ins_refused",
            "Sign-ins that were refused.",
            value=pulse.sign_ins_refused,
        )

    def _holds(self, pulse: Pulse) -> Iterator[Metric]:
        held = GaugeMetricFamily(
            "regresa_channel_held", "Whether a channel is held (1).", labels=("channel",)
        )
        waiting = GaugeMetricFamily(
            "regresa_channel_waiting", "Attempts that wait for a channel.", labels=("channel",)
        )
        for channel in sorted({*self._channels, *pulse.channels_held}):
            held.add_metric((channel,), channel in pulse.channels_held)
            waiting.add_metric((channel,), pulse.channels_held.get(channel, 0))
        yield held
        yield waiting


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"regresa_{name}", help_text, value=value)


def _counted(
    name: str, help_text: str, label: str, counts: Mapping[str, int]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"regresa_{name}", help_text, labels=(label,))
    for value, count in sorted(counts.items()):
        family.add_metric((value,), count)
    return family
