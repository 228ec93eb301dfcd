"""Open the line that a device's url names.

tcp://host:502                             Modbus TCP
rtu:///dev/ttyUSB0?baud=9600&format=8N1    Modbus RTU on a serial port
rtu+tcp://host:4001                        Modbus RTU through a transparent serial server
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.client.base import ModbusBaseClient

from edge.modbus import CONNECT_TIMEOUT_S, ModbusLine

TCP_PORT = 502


def open_line(url: str) -> ModbusLine:
    """Return the line of `url`; it connects at the first request."""
    return ModbusLine(url, _tcp_client(url), drains=False)


def _tcp_client(url: str) -> Callable[[Callable[[bool], None]], ModbusBaseClient]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or TCP_PORT

    def make(link_changed: Callable[[bool], None]) -> ModbusBaseClient:
        return AsyncModbusTcpClient(
            host, port=port, timeout=CONNECT_TIMEOUT_S, retries=0, reconnect_delay=0, trace_connect=link_changed
        )

    return make
