"""LiveKit dies with people in its rooms, or its webhooks get lost: what has to be right soon after."""
