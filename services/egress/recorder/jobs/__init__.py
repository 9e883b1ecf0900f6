"""What the embedded recorders are to do: jobs in the database, each held by one recorder at a time."""
