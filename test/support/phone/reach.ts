/** Asks a SIP address whether anybody is there, before a call that would ring into the void for 32 s. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { newId } from '../../../src/base/ids.ts';

export type Reach = 'answers' | 'refused' | 'silent';

/** Sends OPTIONS over UDP and takes any answer. `refused`: the machine says that the port is closed. */
export async function reach(target: string, patienceMs = 2000): Promise<Reach> {
  const [host = '', port = '5060'] = target.split(':');
  const socket = dgram.createSocket('udp4');
  socket.bind(0);
  await once(socket, 'listening');
  try {
    // A connected socket is told of "port unreachable"; an unconnected one is not.
    socket.connect(Number(port), host);
    await once(socket, 'connect');
    const answered = once(socket, 'message').then(() => 'answers' as const);
    const failed = once(socket, 'error').then(() => 'refused' as const);
    socket.send(options(target, socket.address()));
    const silent = new Promise<'silent'>((resolve) => {
      AbortSignal.timeout(patienceMs).addEventListener('abort', () => resolve('silent'), { once: true });
    });
    return await Promise.race([answered.catch(() => 'refused' as const), failed, silent]);
  } finally {
    socket.close();
  }
}

function options(target: string, own: { address: string; port: number }): string {
  return [
    `OPTIONS sip:${target} SIP/2.0`,
    `Via: SIP/2.0/UDP ${own.address}:${own.port};branch=z9hG4bK${newId('reach')};rport`,
    `From: <sip:phone@${own.address}:${own.port}>;tag=${newId('tag')}`,
    `To: <sip:${target}>`,
    `Call-ID: ${newId('reach')}`,
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}
