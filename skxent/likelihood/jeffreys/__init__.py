"""The likelihood with Jeffreys' prior, whose maximum is Firth's estimate."""
