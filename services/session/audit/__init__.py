"""The audit log: what administrators did, of all services, kept for as long as the settings say."""
