"""SMS that crews send back, received by SMPP 3.4: bind as a receiver, take each message, say that it was taken.

A message is answered for only after it was handled: one whose handling was cut off is sent again by the SMS centre.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import smpplib.client
import smpplib.command
import smpplib.consts
import smpplib.exceptions
import smpplib.smpp

log = logging.getLogger(__name__)

TIMEOUT_S = 10
LOOK_S = 0.2
ALIVE_EVERY_S = 30.0
WAIT_S, LONGEST_WAIT_S = 2.0, 60.0
UCS2 = 8
RECEIPT_BITS, HEADER_BIT = 0x3C, 0x40
"""Of esm_class: a delivery receipt and not a message; the text begins with a header of its own."""


@dataclass(frozen=True)
class Sms:
    """One message from a phone."""

    phone: str
    """As the SMS centre writes it."""
    text: str


@dataclass(frozen=True)
class SmppInbox:
    """What comes in at one operator's SMS centre."""

    name: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)

    def receive(self, handle: Callable[[Sms], None], stop: threading.Event) -> None:
        """Hand over each message until `stop` is set; whatever goes wrong, it is tried again, ever later."""
        logging.getLogger("smpp").setLevel(logging.CRITICAL)
        wait_s = WAIT_S
        while not stop.is_set():
            began_s = time.monotonic()
            try:
                self._listen(handle, stop)
            except Exception as error:
                wait_s = WAIT_S if time.monotonic() - began_s > LONGEST_WAIT_S else min(2 * wait_s, LONGEST_WAIT_S)
                log.warning("channel %s receives no replies: %s; again in %.0f s", self.name, _reason(error), wait_s)
                stop.wait(wait_s)

    def _listen(self, handle: Callable[[Sms], None], stop: threading.Event) -> None:
        client = smpplib.client.Client(
            self.host, self.port, timeout=TIMEOUT_S, logger_name="smpp.inbox", allow_unknown_opt_params=True
        )
        client.set_message_received_handler(lambda pdu: _handed_over(pdu, handle))
        try:
            client.connect()
            client.bind_receiver(system_id=self.user, password=self.password)
            log.info("channel %s receives replies", self.name)
            alive_s = time.monotonic()
            while not stop.wait(LOOK_S):
                client.poll()
                if time.monotonic() - alive_s >= ALIVE_EVERY_S:
                    alive_s = time.monotonic()
                    client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))
            client.unbind()
        finally:
            client.disconnect()


def sms_of(pdu: smpplib.command.DeliverSM) -> Sms | None:
    """Return the message of a deliver_sm; None for a receipt, which says only what became of one of ours."""
    if pdu.esm_class & RECEIPT_BITS:
        return None
    raw: bytes = pdu.short_message or getattr(pdu, "message_payload", None) or b""
    if pdu.esm_class & HEADER_BIT and raw:
        raw = raw[1 + raw[0] :]
    text = raw.decode("utf-16-be" if pdu.data_coding == UCS2 else "latin-1", errors="replace")
    return Sms(pdu.source_addr.decode("ascii", errors="replace"), text)


def _handed_over(pdu: smpplib.command.DeliverSM, handle: Callable[[Sms], None]) -> int:
    """The status to answer with."""
    sms = sms_of(pdu)
    if sms is not None:
        handle(sms)
    return int(smpplib.consts.SMPP_ESME_ROK)


def _reason(error: Exception) -> str:
    if isinstance(error, smpplib.exceptions.PDUError) and len(error.args) > 1:
        return f"status {error.args[1]:#x}"
    return f"{type(error).__name__} {error}".rstrip()
