"""What every channel must do."""

from regresa_http_gateway.conformance import GatewayConformance


class TestGateway(GatewayConformance):
    """Found by pytest here, and wherever it is installed by `--pyargs`."""
