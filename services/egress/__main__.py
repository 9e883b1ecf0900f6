from services.egress.app import build
from services.egress.settings import EgressSettings
from shared.runtime.process import main

if __name__ == "__main__":
    main("egress", EgressSettings, build)
