"""The minimiser: L-BFGS in preconditioned coordinates, Newton steps, and the measured gap."""
