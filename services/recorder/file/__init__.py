"""The finished file: an MP4 of the segments, remuxed without re-encoding."""
