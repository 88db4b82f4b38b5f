"""From a notebook to a pipeline's files: compiling, inspecting, tagging, locking."""
