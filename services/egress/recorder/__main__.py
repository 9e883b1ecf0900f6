from services.egress.recorder.app import build
from services.egress.recorder.settings import RecorderSettings
from shared.runtime import main

if __name__ == "__main__":
    main("recorder", RecorderSettings, build)
