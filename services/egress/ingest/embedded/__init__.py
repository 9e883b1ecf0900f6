"""Ingresses of our own, for one machine: an RTMP server takes what encoders send, the relay passes it on."""
