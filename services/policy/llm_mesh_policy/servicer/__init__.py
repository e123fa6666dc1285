"""What the servicers of all slices share: who calls, and what an answer is."""
