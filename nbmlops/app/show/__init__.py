"""How results show themselves in notebooks and pages."""
