"""Looking after what a centre keeps: backup, restore, archive."""
