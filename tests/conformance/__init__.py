"""Conformance: what is written from `spec/` alone, against what is in this repository."""
