"""Why a session, its stream and its recordings ended, failed or have not started, in plain words."""
