"""Chatting: what is typed (`typed`), what is shown (`lines`, `model`, `keys`), and where (`line`, `plain`, `room`)."""
