"""Sessions: scheduled, live and ended."""
