"""`python -m services.session` runs one session service."""

from services.session.app import build
from services.session.settings import SessionSettings
from shared.runtime.process import main

if __name__ == "__main__":
    main("session", SessionSettings, build)
