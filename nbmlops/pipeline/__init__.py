"""The target language: the pipeline document and the run document. The only things that compiler and runtime share."""
