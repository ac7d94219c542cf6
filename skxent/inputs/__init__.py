"""What users pass, turned into checked arrays; every error about an argument is made here."""
