"""From sound to attributed words: transcriber, diarizer, turns, roles."""
