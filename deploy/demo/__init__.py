"""`greenroom demo`: a live session with real media on a running stack, checked against what the API says."""
