"""The relay: passes what encoders send to the private RTMP server on into LiveKit rooms."""

# The line that the transcoder prints every second. It is here since the transcoder, a process for each
# encoder, imports nothing else of ours: aiohttp alone would double its time to start.
FLOWING = "flowing"
