"""mailforensics: mail logs and message headers as Arrow tables, and the story of each message."""
