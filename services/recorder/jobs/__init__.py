"""A recorder's jobs: taken under a lease, captured, finalized."""
