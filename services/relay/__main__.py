"""`python -m services.relay` runs the relay."""

from services.relay.app import build
from services.relay.settings import RelaySettings
from shared.runtime.process import main

if __name__ == "__main__":
    main("relay", RelaySettings, build)
