"""What a pipeline is emitted as: the Python package, the step notebooks, documents, and the workflow of a CI system."""
