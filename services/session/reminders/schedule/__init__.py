"""What is to be told of each session, and when."""
