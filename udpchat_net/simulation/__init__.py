"""The simulated network: the same cores and requests in virtual time, on links and disks as bad as you like.

`world.World` runs them, `faults` is what can go wrong, `scenario` what users do meanwhile, and `oracle` holds
every promise against what happens.
"""
