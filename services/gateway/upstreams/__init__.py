"""The services behind the gateway: connections, and passing requests on."""
