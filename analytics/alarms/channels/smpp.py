"""SMS by SMPP 3.4, the operators' own protocol: bind, submit, wait for the answer to each part, unbind."""

import contextlib
import logging
import time
from dataclasses import dataclass, field

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

from analytics.alarms.channels.port import Answer, Message, Recipient, Verdict, shortened

TIMEOUT_S = 10.0
MAX_BYTES = 500
WAIT_CODES = {smpplib.consts.SMPP_ESME_RTHROTTLED, smpplib.consts.SMPP_ESME_RMSGQFUL, smpplib.consts.SMPP_ESME_RSYSERR}
WAIT_S = 30.0
NO_ANSWER = (smpplib.exceptions.ConnectionError, smpplib.exceptions.UnknownCommandError, OSError)


@dataclass(frozen=True)
class Smpp:
    """One operator's SMS centre."""

    name: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str = ""
    timeout_s: float = TIMEOUT_S
    """For the connection, and for the answer to each part. [s]"""

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        """Try once; accepted is only what the centre answered with status 0 for every part."""
        if not recipient.phone:
            return Answer(Verdict.GIVE_UP, f"{recipient.name} has no phone number")
        logging.getLogger("smpp").setLevel(logging.CRITICAL)
        client = smpplib.client.Client(self.host, self.port, timeout=self.timeout_s, allow_unknown_opt_params=True)
        try:
            client.connect()
            client.bind_transmitter(system_id=self.user, password=self.password)
            ids = self._submit(client, recipient.phone, f"{message.title} {message.key}\n{message.body}")
        except smpplib.exceptions.PDUError as error:
            code = int(error.args[1])
            verdict = Verdict.WAIT if code in WAIT_CODES else Verdict.GIVE_UP
            return Answer(verdict, f"SMPP status {code:#x}", WAIT_S if verdict is Verdict.WAIT else None)
        except NO_ANSWER as error:
            return Answer(Verdict.WAIT, f"no answer: {type(error).__name__}")
        else:
            _say_goodbye(client)
        finally:
            client.disconnect()
        return Answer(Verdict.ACCEPTED, f"{len(ids)} parts taken", provider_id=",".join(ids))

    def _submit(self, client: smpplib.client.Client, phone: str, text: str) -> list[str]:
        """Send every part and return the centre's ids once all are answered."""
        ids: list[str] = []
        client.set_message_sent_handler(lambda pdu: ids.append(_text(pdu.message_id)))
        parts, coding, esm_class = smpplib.gsm.make_parts(shortened(text, MAX_BYTES))
        for part in parts:
            client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
                source_addr=self.sender,
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                destination_addr=phone,
                short_message=part,
                data_coding=coding,
                esm_class=esm_class,
            )
        until_s = time.monotonic() + self.timeout_s * len(parts)
        while len(ids) < len(parts):
            if time.monotonic() > until_s:
                raise TimeoutError(f"{len(ids)} of {len(parts)} parts answered")
            client.read_once(auto_send_enquire_link=False)  # which else keeps a silent centre's line alive for ever
        return ids


def _say_goodbye(client: smpplib.client.Client) -> None:
    """Unbind; that the centre does not answer changes nothing about what it took."""
    with contextlib.suppress(smpplib.exceptions.PDUError, *NO_ANSWER):
        client.unbind()


def _text(raw: object) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
