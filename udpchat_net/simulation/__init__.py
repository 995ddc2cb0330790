"""A bad network in virtual time, for the same core: so far its fast, repeatable sealing."""
