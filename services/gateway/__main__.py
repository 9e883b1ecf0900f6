"""`python -m services.gateway` runs the gateway."""

from services.gateway.app import build
from services.gateway.settings import GatewaySettings
from shared.runtime.process import main

if __name__ == "__main__":
    main("gateway", GatewaySettings, build)
