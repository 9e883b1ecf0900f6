"""Encoders of hosts, as processes: ffmpeg in the place of OBS by RTMP, PyAV by WHIP."""
