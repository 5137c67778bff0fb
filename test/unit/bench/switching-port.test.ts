import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SwitchingPort } from '../../../bench/switching-port.ts';

const open: Server[] = [];
let line: SwitchingPort;

/** Says its name, then everything that it hears. */
async function namedEcho(name: string): Promise<number> {
  const server = createServer((socket) => {
    socket.write(name);
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function words(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString();
}

beforeEach(async () => {
  line = await SwitchingPort.open();
});
afterEach(async () => {
  await line.close();
  for (const server of open.splice(0)) server.close();
});

describe('a port whose far end changes', () => {
  it('joins new connections to the new end, and leaves the open ones where they are', async () => {
    line.target = await namedEcho('first');
    const one = connect(line.port, '127.0.0.1');
    expect(await words(one)).toBe('first');
    line.target = await namedEcho('second');
    const other = connect(line.port, '127.0.0.1');
    expect(await words(other)).toBe('second');
    one.write('still here');
    expect(await words(one)).toBe('still here');
  });

  it('closes who comes while there is no end, or one that nobody listens at', async () => {
    const early = connect(line.port, '127.0.0.1').on('error', () => undefined);
    await once(early, 'close');
    line.target = line.port;
    const port = await namedEcho('gone');
    await new Promise((resolve) => open.pop()?.close(resolve));
    line.target = port;
    const late = connect(line.port, '127.0.0.1').on('error', () => undefined);
    await once(late, 'close');
  });

  it('passes an end on, and closes everything with itself', async () => {
    line.target = await namedEcho('far');
    const socket = connect(line.port, '127.0.0.1').on('error', () => undefined);
    await words(socket);
    const gone = once(socket, 'close');
    await line.close();
    await gone;
    line = await SwitchingPort.open();
  });
});
