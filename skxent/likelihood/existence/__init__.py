"""Whether a finite maximum of the likelihood exists."""
