"""Rolling updates: two replicas of each service, restarted one after another under load."""
