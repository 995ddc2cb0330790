"""The state machines, one file each: the phases, the record, guards and actions, the class, and its table."""
