"""Decoder: label scores to gene models. `grammar` says what is legal, `viterbi` finds the best
legal path, `parse` turns it into transcripts."""
