"""Chat: what people say in a session, to all or to one."""
