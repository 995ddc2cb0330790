"""Everything that does I/O for the core, and the simulated network."""
