"""The operations that the gateway answers itself."""
