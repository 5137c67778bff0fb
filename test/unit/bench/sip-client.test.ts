import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SipClient } from '../../../bench/sip-client.ts';

const answer_sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\n';

let far: Socket;
let client: SipClient;
let from: RemoteInfo;
const requests: string[] = [];

beforeEach(async () => {
  requests.length = 0;
  far = createSocket('udp4').bind(0, '127.0.0.1');
  far.on('message', (message, sender) => {
    from = sender;
    requests.push(message.toString());
  });
  await once(far, 'listening');
  client = await SipClient.open(far.address().port);
});

afterEach(async () => {
  client.close();
  await new Promise<void>((resolve) => far.close(() => resolve()));
});

/** The `count`-th request of a method, come or still to come. */
const nth = async (method: string, count = 1): Promise<string> => {
  for (;;) {
    const found = requests.filter((request) => request.startsWith(`${method} `))[count - 1];
    if (found !== undefined) return found;
    await once(far, 'message');
  }
};
const header = (message: string, name: string): string =>
  new RegExp(`^${name}: *(.*)\r$`, 'im').exec(message)?.[1] ?? '';
const answer = (request: string, status: number, more: string[] = [], body = ''): void => {
  const kept = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${header(request, name)}`);
  const to = `To: ${header(request, 'To').split(';tag')[0] ?? ''};tag=far`;
  const text = [`SIP/2.0 ${status} X`, ...kept, to, ...more, `Content-Length: ${body.length}`, '', body];
  far.send(text.join('\r\n'), from.port, from.address);
};

describe('a generated call', () => {
  it('offers u-law, is acknowledged at the far contact, and hangs up within the dialog', async () => {
    const calling = client.invite('+15550100', 4000);
    const invite = await nth('INVITE');
    expect(invite).toContain('m=audio 4000 RTP/AVP 0 101');
    expect(Number(header(invite, 'Content-Length'))).toBe(invite.split('\r\n\r\n')[1]?.length);
    answer(invite, 100);
    answer(invite, 180);
    answer(invite, 200, ['Contact: <sip:far@127.0.0.1:9>'], answer_sdp);
    const { callId, answered } = await calling;
    expect(answered).toMatchObject({ rtpAddress: '127.0.0.2', rtpPort: 4002 });
    expect(answered.setupMs).toBeGreaterThan(0);

    const ack = await nth('ACK');
    expect(ack).toMatch(/^ACK sip:far@127\.0\.0\.1:9 SIP\/2\.0\r\n/);
    expect(header(ack, 'CSeq')).toBe('1 ACK');
    expect(header(ack, 'To')).toContain(';tag=far');
    expect(header(ack, 'Via')).not.toBe(header(invite, 'Via'));

    const ending = client.bye(callId);
    const bye = await nth('BYE');
    expect(header(bye, 'CSeq')).toBe('2 BYE');
    expect(header(bye, 'Call-ID')).toBe(callId);
    answer(bye, 200);
    await ending;
    await client.bye(callId);
    expect(requests.filter((request) => request.startsWith('BYE'))).toHaveLength(1);
  });

  it('acknowledges each 200 that comes again', async () => {
    const calling = client.invite('+15550100', 4000);
    const invite = await nth('INVITE');
    for (let times = 0; times < 2; times += 1) answer(invite, 200, [], answer_sdp);
    await calling;
    await nth('ACK', 2);
  });

  it('that is refused is acknowledged in its own transaction, and says why', async () => {
    const calling = client.invite('+15550100', 4000);
    const refused = expect(calling).rejects.toThrow('INVITE: 486');
    const invite = await nth('INVITE');
    answer(invite, 486);
    await refused;
    expect(header(await nth('ACK'), 'Via')).toBe(header(invite, 'Via'));
  });

  it('is sent again when nobody answers, and no more once somebody does', async () => {
    const calling = client.invite('+15550100', 4000);
    const [first, again] = [await nth('INVITE', 1), await nth('INVITE', 2)];
    expect(again).toBe(first);
    answer(first, 100);
    answer(first, 200, [], answer_sdp);
    await calling;
    await nth('ACK');
  });

  it('agrees to whatever the far end asks', async () => {
    const calling = client.invite('+15550100', 4000);
    const invite = await nth('INVITE');
    answer(invite, 200, [], answer_sdp);
    await calling;
    const via = 'Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKfar';
    const bye = ['BYE sip:bench@127.0.0.1 SIP/2.0', via, 'Call-ID: x', 'CSeq: 7 BYE', '', ''].join('\r\n');
    far.send(bye, from.port, from.address);
    const agreed = await nth('SIP/2.0');
    expect(agreed).toMatch(/^SIP\/2\.0 200 OK\r\n/);
    expect(header(agreed, 'CSeq')).toBe('7 BYE');
  });
});
