"""Taking part in a LiveKit room as a hidden participant that receives all video and audio."""
