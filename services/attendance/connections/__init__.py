"""Who was connected to a session, and when: people's connections one by one, staff included."""
