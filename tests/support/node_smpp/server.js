// An SMS centre for the tests: node server.js. Port on the first line; then one JSON object per line, out and in.
// Out: {"submitted": {"to", "text"}}, {"answered": status}. In: {"from", "text"} for whoever is bound as a receiver.
'use strict';
const readline = require('readline');
const smpp = require('smpp');

const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const receivers = new Set();

const server = smpp.createServer((session) => {
  const bind = (pdu) => {
    const refused = pdu.password !== 'secret';
    session.send(pdu.response({ command_status: refused ? smpp.ESME_RINVPASWD : smpp.ESME_ROK }));
    if (!refused && pdu.command === 'bind_receiver') receivers.add(session);
  };
  session.on('bind_transmitter', bind);
  session.on('bind_receiver', bind);
  session.on('submit_sm', (pdu) => {
    say({ submitted: { to: pdu.destination_addr, text: pdu.short_message.message } });
    session.send(pdu.response({ message_id: 'node-1' }));
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { receivers.delete(session); session.send(pdu.response()); session.close(); });
  session.on('close', () => receivers.delete(session));
  session.on('error', () => receivers.delete(session));
});

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { from, text } = JSON.parse(line);
  for (const session of receivers) {
    session.deliver_sm(
      { source_addr: from, destination_addr: '10690000', short_message: text },
      (pdu) => say({ answered: pdu.command_status }));
  }
  if (receivers.size === 0) say({ answered: null });
}).on('close', () => process.exit(0));

server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
