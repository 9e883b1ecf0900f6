"""Who is subscribed to a room's reminders."""
