"""The worker's own metrics: what Temporal's SDK counts, where Prometheus can read it."""

from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from clinic.refusal import Refusal

SETTING = "REGRESA_WORKER_METRICS_ADDRESS"


def runtime_for(address: str) -> Runtime | None:
    """Return the runtime of a connection whose metrics are served at an address.

    They are open to whoever reaches the address: task queues, workflow and activity types, counts
    and durations; no patient, no workflow's id.

    Args:
        address: IP and port to listen on; empty: nothing is served.

    Returns:
        None where nothing is served: the SDK's own runtime does then.

    Raises:
        Refusal: Nobody can listen there.
    """
    if not address:
        return None
    served = PrometheusConfig(
        bind_address=address, counters_total_suffix=True, durations_as_seconds=True
    )
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=served))
    except ValueError as error:
        raise Refusal(
            f"{SETTING}: {str(error)[:1].lower()}{str(error)[1:]}",
            "Give an IP address and a free port, such as 127.0.0.1:9464.",
        ) from None
