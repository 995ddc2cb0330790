"""The protocol of udpchat without I/O: bytes and time go in, actions come out."""
