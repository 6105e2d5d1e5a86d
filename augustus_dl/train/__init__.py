"""Genes to labels to loss: packing of annotated genomes and the training loop."""
