"""`python -m services.attendance` runs one attendance service."""

from services.attendance.app import build
from services.attendance.settings import AttendanceSettings
from shared.runtime.process import main

if __name__ == "__main__":
    main("attendance", AttendanceSettings, build)
