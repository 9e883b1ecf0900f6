"""`make fuzz`: the running API against its own document, by schemathesis."""
