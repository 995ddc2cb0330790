"""A second client of udpchat, minimal, written from `spec/` alone by somebody who had not read the code.

It imports nothing of udpchat's: `cbor2`, `cryptography` and the standard library are all it stands on.

The bytes: `cbor` and `grammar` (what is sealed), `datagrams` (what is clear), `keys`, `cards`, `letters`, `noise`
and `link`. The client, without I/O: `store` (its disk, SQLite, in memory by default), `session` (with the server),
`contacts` (who is where), `outbox`, `inbox`, and `client`, which ties them together. `loop` drives it on a socket,
and loses datagrams if asked to.

What it leaves out, being minimal, is what spec/ does not ask of a client: it watches nobody (section 9.6), keeps
no log, and its database has no migrations. Comments cite the requirement that they meet.
"""
