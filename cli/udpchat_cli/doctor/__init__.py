"""What `doctor` looks at: this machine, the network to a server, and an account there. Each check is a function."""
