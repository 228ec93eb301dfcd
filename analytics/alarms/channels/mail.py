"""E-mail over SMTP: TLS where the server offers it, always where there is a password."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from analytics.alarms.channels.port import Answer, Message, Recipient, Verdict

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Mail:
    """One mail server and the account that sends."""

    name: str
    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        """Try once. A 4xx of the server asks to wait, a 5xx refuses for good."""
        if not recipient.email:
            return Answer(Verdict.GIVE_UP, f"{recipient.name} has no e-mail address")
        mail = _mail(message, self.sender, recipient.email, now_ms)
        try:
            with smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S) as server:
                self._secure(server)
                server.send_message(mail)
        except smtplib.SMTPResponseException as error:
            verdict = Verdict.WAIT if 400 <= error.smtp_code < 500 else Verdict.GIVE_UP
            return Answer(verdict, f"SMTP {error.smtp_code}")
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            return Answer(
                Verdict.WAIT if all(400 <= code < 500 for code in codes) else Verdict.GIVE_UP, f"SMTP {codes}"
            )
        except smtplib.SMTPNotSupportedError as error:
            return Answer(Verdict.GIVE_UP, str(error))
        except (OSError, smtplib.SMTPException) as error:
            return Answer(Verdict.WAIT, f"no answer: {type(error).__name__}")
        return Answer(Verdict.ACCEPTED, "queued by the server", provider_id=str(mail["Message-ID"]))

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif self.user:
            raise smtplib.SMTPNotSupportedError("the server offers no TLS: the password is not sent in the clear")
        if self.user:
            server.login(self.user, self.password)


def _mail(message: Message, sender: str, to: str, now_ms: int) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = " ".join(f"{message.title} {message.key}".split())
    mail["From"], mail["To"] = sender, to
    mail["Date"] = formatdate(now_ms / 1000)
    mail["Message-ID"] = make_msgid(domain="steppe.invalid")
    mail.set_content(message.body)
    return mail
