"""Decide whether the likelihood has a maximum at finite coefficients."""
