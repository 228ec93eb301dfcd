"""What the console answers with when it cannot show what was asked; one branch per answer.

SteppeError
├── NotSignedIn       nobody is signed in: the page of the sign-in, or 401
├── NotAllowed        signed in, but not for this: 403
├── NotFound          there is no such thing: 404, with a way back
├── Unusable          a range or a form that makes no sense: 400, one sentence
└── TooMany           tried too often: 429, with the time to wait
"""

from edge.errors import SteppeError


class NotSignedIn(SteppeError):
    """The request carries no session and no token that counts."""


class NotAllowed(SteppeError):
    """Whoever asks may not do this."""


class NotFound(SteppeError):
    """There is nothing of that name. The message names what was looked for."""


class Unusable(SteppeError):
    """What was asked makes no sense. The message is a key of the catalogue, or a sentence in English."""


class TooMany(SteppeError):
    """Too many tries in too short a time."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s
        """When the next try counts again. [s]"""
