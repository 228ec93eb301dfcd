"""A secret in a page, masked anew each time: what is compressed together with a visitor's words must not repeat."""

import base64
import hmac
import secrets


def mask(secret: str) -> str:
    """Return the secret behind a random pad, as one word."""
    plain = secret.encode()
    pad = secrets.token_bytes(len(plain))
    return base64.urlsafe_b64encode(pad + _xor(plain, pad)).decode()


def same_secret(word: str, secret: str) -> bool:
    """Whether `word` is the secret, masked. Anything else is not."""
    try:
        raw = base64.urlsafe_b64decode(word.encode("ascii"))
    except ValueError:
        return False
    half = len(raw) // 2
    return hmac.compare_digest(_xor(raw[:half], raw[half:]), secret.encode())


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))
