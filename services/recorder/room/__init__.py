"""Taking part in a LiveKit room: unseen, hearing and seeing everybody."""
