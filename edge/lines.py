"""Open the line that a device's url names.

tcp://host:502                             Modbus TCP
rtu:///dev/ttyUSB0?baud=9600&format=8N1    Modbus RTU on a serial port
rtu+tcp://host:4001                        Modbus RTU through a transparent serial server
tcp+listen://0.0.0.0:5020                  Modbus TCP with a modem that dials in to this port
rtu+listen://0.0.0.0:5020                  Modbus RTU with a modem that dials in to this port
"""

from urllib.parse import urlsplit

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.framer import FramerType

from edge.budget import serial_settings
from edge.dial_in import DialIn
from edge.linestats import LineStatistics
from edge.mbap import StrictMbap
from edge.modbus import CONNECT_TIMEOUT_S, LinkChanged, ModbusLine
from edge.rtu import LARGEST_BUFFER, StrictRtu

TCP_PORT = 502


def open_line(url: str) -> ModbusLine:
    """Return the line of `url`; it connects at the first request."""
    scheme = urlsplit(url).scheme
    is_rtu = scheme.startswith("rtu")
    dial_in = DialIn(*_host_and_port(url)) if scheme.endswith("+listen") else None

    def make_client(statistics: LineStatistics, link_changed: LinkChanged) -> ModbusBaseClient:
        client = _serial_client(url, link_changed) if scheme == "rtu" else _tcp_client(url, link_changed, is_rtu)
        client.ctx.framer = StrictRtu(statistics) if is_rtu else StrictMbap(statistics)
        client.ctx.max_buffer_size = LARGEST_BUFFER
        if dial_in is not None:
            client.ctx.call_create = lambda: dial_in.accept(client.ctx.handle_new_connection)
        return client

    return ModbusLine(url, make_client, dial_in)


def _tcp_client(url: str, link_changed: LinkChanged, is_rtu: bool) -> ModbusBaseClient:
    host, port = _host_and_port(url)
    return AsyncModbusTcpClient(
        host,
        port=port,
        framer=FramerType.RTU if is_rtu else FramerType.SOCKET,
        timeout=CONNECT_TIMEOUT_S,
        retries=0,
        reconnect_delay=0,
        trace_connect=link_changed,
    )


def _serial_client(url: str, link_changed: LinkChanged) -> ModbusBaseClient:
    settings = serial_settings(url)
    return AsyncModbusSerialClient(
        urlsplit(url).path,
        framer=FramerType.RTU,
        baudrate=settings.baud,
        bytesize=settings.bits,
        parity=settings.parity,
        stopbits=settings.stop_bits,
        timeout=CONNECT_TIMEOUT_S,
        retries=0,
        reconnect_delay=0,
        trace_connect=link_changed,
    )


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or TCP_PORT
