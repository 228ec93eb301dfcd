"""Every error the edge raises on purpose; the first branch is shared by all rooms.

SteppeError
├── BadInput          a person gave something wrong: one line on stderr, exit code 2
│   └── ConfigError       a file is wrong: stop, a person must edit it
├── DeviceError       one instrument failed: mark its points BAD, poll the rest
│   ├── DeviceTimeout     no answer; the next poll may work
│   └── DeviceRefused     it answered with an exception code; a retry will not help
├── SpoolError        the spool cannot keep what it was given: stop sealing, say so, try again
└── LinkDown          the other end is out of reach: keep what is not acknowledged, try later
"""


class SteppeError(Exception):
    """Anything steppe raises on purpose. The message says where, what, and what to do."""


class BadInput(SteppeError):
    """A person must change what they gave. Shown as one line on stderr, exit code 2."""


class ConfigError(BadInput):
    """A configuration or register file is wrong: file, place, and what to do."""


class DeviceError(SteppeError):
    """One instrument failed; the others are polled as before."""


class DeviceTimeout(DeviceError):
    """No answer in time; the next poll may work."""


class DeviceRefused(DeviceError):
    """The device answered with an exception code; a retry will not help."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
        """Modbus exception code, such as 2 (illegal data address) or 11 (gateway target did not respond)."""


class SpoolError(SteppeError):
    """The spool's file could not be written (disk full, card failing). Nothing already sealed is touched."""


class LinkDown(SteppeError):
    """The broker or the store is out of reach; what was not acknowledged stays where it is."""
