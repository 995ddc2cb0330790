"""What makes and checks the generated parts of `spec/`."""
