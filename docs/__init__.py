"""What makes the site, beside its pages."""
