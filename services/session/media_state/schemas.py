"""HTTP bodies about the host's camera and microphone."""

from shared.http import Body


class HostMediaRequest(Body):
    enabled: bool
