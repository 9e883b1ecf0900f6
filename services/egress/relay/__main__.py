"""`python -m services.egress.relay` runs the relay."""

from services.egress.relay.app import build
from services.egress.relay.settings import RelaySettings
from shared.runtime import main

if __name__ == "__main__":
    main("relay", RelaySettings, build)
