"""People on a LiveKit stage, as tests of the recorder need them: they flash and beep once a second."""
