"""The driver that a device needs, by the line that its url names."""

from edge.devices import Device
from edge.dlt645 import Dlt645Request
from edge.dlt645_meter import Dlt645Meter
from edge.driver import Meter
from edge.line import Line
from edge.meter import ModbusMeter
from edge.modbus import ModbusLine

AnyLine = ModbusLine | Line[Dlt645Request]


def make_meter(device: Device, line: AnyLine) -> Meter:
    """Return the meter of `device`, to be read over `line`."""
    return ModbusMeter(device, line) if isinstance(line, ModbusLine) else Dlt645Meter(device, line)
