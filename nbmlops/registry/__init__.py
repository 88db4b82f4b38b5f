"""Which version is which: register, promote; accepts only a passing `Verdict`."""
