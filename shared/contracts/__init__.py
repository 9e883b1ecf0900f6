"""What crosses a service boundary: states and events, as pydantic models without I/O."""
