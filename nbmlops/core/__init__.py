"""Foundation of every other package: errors, diagnostics, digests, documents. Standard library only."""
