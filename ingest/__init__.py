"""From files to facts: finds transcripts, reads what is new in them and loads it into the store."""
