"""Who speaks when: the diarizers and what they share."""
