"""Everything that Apprise knows: one URL per channel, as its own documentation writes it.

Apprise answers yes or no for HTTP alone. So messengers whose robots say no under HTTP 200 are refused here: they have
senders of their own (`robots`).
"""

import logging
from dataclasses import dataclass, field

import apprise

from analytics.alarms.channels.port import Answer, Message, Recipient, Verdict
from edge.errors import ConfigError

FALSE_SUCCESS = ("dingtalk", "wecombot", "feishu", "lark", "schan")


@dataclass(frozen=True)
class Other:
    """One Apprise URL."""

    name: str
    url: str = field(repr=False)

    def __post_init__(self) -> None:
        scheme = self.url.split("://", 1)[0]
        if scheme in FALSE_SUCCESS:
            raise ConfigError(f"channel {self.name}: {scheme} answers success for failures; use its own kind instead")
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        if not apprise.Apprise().add(self.url):
            raise ConfigError(f"channel {self.name}: the URL of kind {scheme!r} is not one that Apprise understands")

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        """Try once; why it failed is not told, so a failure waits and then goes to the next channel."""
        sender = apprise.Apprise()
        sender.add(self.url)
        if sender.notify(title=f"{message.title} {message.key}", body=message.body):
            return Answer(Verdict.ACCEPTED, "taken")
        return Answer(Verdict.WAIT, "not taken")
