"""Where what a core must not forget is kept: the port, and its adapters."""
