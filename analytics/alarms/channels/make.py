"""Channels from their settings: secrets are read here, once."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.alarms.channels.mail import Mail
from analytics.alarms.channels.port import Channel
from analytics.alarms.channels.robots import DingTalk, Feishu, WeCom
from analytics.alarms.channels.sms import SmsGateway
from analytics.alarms.settings import ChannelSettings
from edge.config import read_secret
from edge.errors import ConfigError

if TYPE_CHECKING:
    from analytics.alarms.channels.smpp_inbox import SmppInbox


def make_channel(settings: ChannelSettings, base: Path) -> Channel:
    """Return the channel; file names count from `base`. Raises ConfigError."""
    name = settings.name
    token = read_secret(base / settings.token_file) if settings.token_file else ""
    secret = read_secret(base / settings.secret_file) if settings.secret_file else ""
    match settings.kind:
        case "dingtalk":
            return DingTalk(name, token, secret, settings.url or DingTalk.base_url)
        case "wecom":
            return WeCom(name, token, settings.url or WeCom.base_url)
        case "feishu":
            return Feishu(name, token, secret, settings.url or Feishu.base_url)
        case "sms_http":
            return SmsGateway(name, settings.url or "", token, settings.sender or "")
        case "mail":
            host, port = _host_port(settings, 25)
            return Mail(name, host, port, settings.sender or "steppe@localhost", settings.user or "", token)
        case "smpp":
            from analytics.alarms.channels.smpp import Smpp

            host, port = _host_port(settings, 2775)
            return Smpp(name, host, port, settings.user or "", token, settings.sender or "")
        case "apprise":
            from analytics.alarms.channels.others import Other

            return Other(name, token)


def make_inboxes(channels: Sequence[ChannelSettings], base: Path) -> "list[SmppInbox]":
    """Return an inbox for every channel that receives replies. Raises ConfigError."""
    receiving = [one for one in channels if one.replies]
    if not receiving:
        return []
    from analytics.alarms.channels.smpp_inbox import SmppInbox

    passwords = [read_secret(base / one.token_file) if one.token_file else "" for one in receiving]
    return [
        SmppInbox(one.name, *_host_port(one, 2775), one.user or "", password)
        for one, password in zip(receiving, passwords, strict=True)
    ]


def _host_port(settings: ChannelSettings, default: int) -> tuple[str, int]:
    host, _, port = (settings.url or "").rpartition(":")
    if not host:
        return port, default
    if not port.isdigit():
        raise ConfigError(f"channel {settings.name}: url {settings.url!r} is not host:port")
    return host, int(port)
