"""Picture and sound: what people send, laid out, mixed, encoded once and cut into segments."""
