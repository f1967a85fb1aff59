"""Words in, words out: each command calls one task or one query."""
