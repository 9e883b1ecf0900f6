"""The finished file: an MP4 of the segments, without encoding anything again."""
