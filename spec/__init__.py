"""The protocol reference; a package only so that its tools run as `python -m spec.tools.generate`."""
