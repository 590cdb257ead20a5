"""The whole stack on one machine's loopback: Temporal, worker, console, stand-ins for providers."""
