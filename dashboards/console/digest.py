"""How secrets of ours are kept: as SHA-256, so that a copy of the file opens no door."""

import hashlib


def digest(word: str) -> str:
    """Return what is kept of a random word. Passwords are another matter: `users` hashes them slowly."""
    return hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()
