"""How far coders agree, over tapes."""
