// A Modbus TCP server made with node's modbus-serial, for tests: `node server.js PORT`.
// Registers hold 3 * register + 1, input registers 5 * register + 2; coil and input n are on where n % 3 is 0.
// Anything beyond 199 is answered with exception 2; only unit 1 answers. Prints "ready" when it serves.
const { ServerTCP } = require("modbus-serial");

function within(address, value) {
  if (address >= 200) throw { modbusErrorCode: 2, msg: "no such register" };
  return value;
}

const vector = {
  getHoldingRegister: (address) => within(address, 3 * address + 1),
  getInputRegister: (address) => within(address, 5 * address + 2),
  getCoil: (address) => within(address, address % 3 === 0),
  getDiscreteInput: (address) => within(address, address % 3 === 0),
};
const server = new ServerTCP(vector, { host: "127.0.0.1", port: Number(process.argv[2]), unitID: 1 });
server.on("initialized", () => console.log("ready"));
