"""How a member hands in a tape: consent and target behavior, the recording, the segment."""
