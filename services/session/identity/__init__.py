"""Who calls: people, organizations, sign-ins and API keys."""
