"""Channels from their settings: secrets are read here, once."""

from pathlib import Path

from analytics.alarms.channels.mail import Mail
from analytics.alarms.channels.port import Channel
from analytics.alarms.channels.robots import DingTalk, Feishu, WeCom
from analytics.alarms.channels.sms import SmsGateway
from analytics.alarms.settings import ChannelSettings
from edge.config import read_secret
from edge.errors import ConfigError


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


def _host_port(settings: ChannelSettings, default: int) -> tuple[str, int]:
    host, _, port = (settings.url or "").rpartition(":")
    if not host:
        return port, default
    if not port.isdigit():
        raise ConfigError(f"channel {settings.name}: url {settings.url!r} is not host:port")
    return host, int(port)
