"""An encoder's picture and sound on their way from the RTMP server into a room, in a process of their own."""
