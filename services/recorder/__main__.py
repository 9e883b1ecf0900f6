from services.recorder.app import build
from services.recorder.settings import RecorderSettings
from shared.runtime.process import main

if __name__ == "__main__":
    main("recorder", RecorderSettings, build)
