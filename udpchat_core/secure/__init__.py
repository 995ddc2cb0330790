"""What makes bytes trustworthy: cards, links, letters, acknowledgements and tokens, over one `Suite`."""
