"""The minimiser: L-BFGS in preconditioned coordinates, Newton steps and measured gaps."""
