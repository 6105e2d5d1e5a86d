"""Text in, text out: FASTA, GenBank, GTF, GFF3 and hints. Nothing here imports torch."""
