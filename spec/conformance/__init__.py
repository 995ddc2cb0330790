"""The conformance kit: any implementation of udpchat, held against the vectors and what sections 4 to 9 want it to do.

`python -m spec.conformance COMMAND...` starts COMMAND, talks to it through the door of README.md, and prints a
table. `door` is the kit's side of that door; `vectors` asks for bytes; `network` is loopback UDP that loses, delays
and doubles by script, on which `server` and `friend` play the other side of a client under test, and `user` that of a
server; the modules `client_...` and `server_...` are the checks; `report` counts. `ours` is this repository's own
implementation behind the same door.
"""
