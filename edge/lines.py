"""Open the line that a device's url names.

tcp://host:502                                Modbus TCP
rtu:///dev/ttyUSB0?baud=9600&format=8N1       Modbus RTU on a serial port
rtu+tcp://host:4001                           Modbus RTU through a transparent serial server
tcp+listen://0.0.0.0:5020                     Modbus TCP with a modem that dials in to this port
rtu+listen://0.0.0.0:5020                     Modbus RTU with a modem that dials in to this port
dlt645:///dev/ttyUSB0?baud=2400&format=8E1    DL/T 645-2007 on a serial port
dlt645+tcp://host:4001                        DL/T 645-2007 through a transparent serial server
dlt645+listen://0.0.0.0:5020                  DL/T 645-2007 with a modem that dials in to this port
"""

import asyncio
import termios
from collections.abc import Callable
from urllib.parse import urlsplit

from edge.budget import serial_settings
from edge.connection import Framer, QuestionT
from edge.deadlines import Deadlines
from edge.devices import is_dlt645
from edge.dial_in import DialIn
from edge.dlt645 import Dlt645Framer, Dlt645Request
from edge.line import Line, MakeProtocol, Open
from edge.linestats import LineStatistics
from edge.mbap import StrictMbap
from edge.modbus import ModbusLine
from edge.pdu import ReadRequest
from edge.rtu import StrictRtu

TCP_PORT = 502


def open_line(url: str, deadlines: Deadlines | None = None) -> ModbusLine | Line[Dlt645Request]:
    """Return the line of `url`, to be asked in the protocol that it names; it connects at the first question.

    Lines that are used side by side should share their `deadlines`.
    """
    return open_dlt645(url, deadlines) if is_dlt645(url) else open_modbus(url, deadlines)


def open_modbus(url: str, deadlines: Deadlines | None = None) -> ModbusLine:
    """Return the Modbus line of `url`; it connects at the first request."""
    framer: Callable[[LineStatistics], Framer[ReadRequest]] = StrictRtu if url.startswith("rtu") else StrictMbap
    return ModbusLine(_line(url, framer, deadlines or Deadlines()))


def open_dlt645(url: str, deadlines: Deadlines | None = None) -> Line[Dlt645Request]:
    """Return the DL/T 645 line of `url`; it connects at the first request."""
    return _line(url, Dlt645Framer, deadlines or Deadlines())


def _line(
    url: str, make_framer: Callable[[LineStatistics], Framer[QuestionT]], deadlines: Deadlines
) -> Line[QuestionT]:
    parts = urlsplit(url)
    _, _, transport = parts.scheme.partition("+")
    if transport == "listen":
        dial_in = DialIn(*_host_and_port(url))
        return Line(url, dial_in.accept, make_framer, deadlines, dial_in)
    is_network = transport == "tcp" or parts.scheme == "tcp"
    return Line(url, _calling(*_host_and_port(url)) if is_network else _serial(url), make_framer, deadlines)


def _calling(host: str, port: int) -> Open:
    async def call(make_protocol: MakeProtocol) -> object:
        return await asyncio.get_running_loop().create_connection(make_protocol, host, port)

    return call


def _serial(url: str) -> Open:
    async def open_port(make_protocol: MakeProtocol) -> object:
        from pymodbus.transport.serialtransport import create_serial_connection  # a network gateway needs none of it

        settings = serial_settings(url)
        try:
            return await create_serial_connection(
                asyncio.get_running_loop(),
                make_protocol,
                urlsplit(url).path,
                baudrate=settings.baud,
                bytesize=settings.bits,
                parity=settings.parity,
                stopbits=settings.stop_bits,
            )
        except termios.error as error:  # the adapter refuses these settings; this is no OSError
            raise OSError(*error.args) from error

    return open_port


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or TCP_PORT
