"""What hosts may read about who attended."""
