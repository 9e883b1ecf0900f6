"""Ingresses of our own, for one machine: an RTMP server receives from encoders, the relay passes it on."""
