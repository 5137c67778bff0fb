import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { onTestFinished, describe, expect, it } from 'vitest';
import { OutsideAddresses, type Lookup, type OutsideRules } from '../../../src/base/outside-address.ts';

/** A resolver that answers each question with the next list, then with the last one for ever. */
function answering(...answers: string[][]): Lookup {
  let asked = 0;
  return (_name, _options, done) => {
    const answer = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    done(
      null,
      answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
}

function lookUp(rules: OutsideRules, resolve: Lookup, all = true): Promise<unknown> {
  return new Promise((settle, reject) => {
    new OutsideAddresses(rules, resolve).lookup('hook.example', { all }, (error, address, family) =>
      error === null ? settle(all ? address : { address, family }) : reject(error),
    );
  });
}

describe('an address', () => {
  it('is judged by the guard of addresses, with the networks that are allowed', () => {
    const inside = new OutsideAddresses({ allowedNetworks: ['10.1.0.0/16', '127.0.0.1', '::1'] });
    for (const address of ['8.8.8.8', '10.1.2.3', '127.0.0.1', '::1'])
      expect(() => inside.check(address)).not.toThrow();
    for (const address of ['10.2.0.1', '127.0.0.2', '::2', '::ffff:10.0.0.1', 'localhost', ''])
      expect(() => inside.check(address)).toThrow(/ADDRESS_FORBIDDEN/);
  });
});

describe('a URL', () => {
  const outside = new OutsideAddresses();

  it('may name a public host over https', () => {
    expect(outside.checkUrl('https://hook.example/path?a=b').host).toBe('hook.example');
    expect(outside.checkUrl('https://[2606:4700::1111]/').pathname).toBe('/');
  });

  it.each([
    ['http://hook.example/', /http:\/\/ is not allowed/],
    ['ftp://hook.example/', /ftp/],
    ['file:///etc/passwd', /file/],
    ['not a url', /no URL/],
    ['https://user:secret@hook.example/', /credentials/],
    ['https://127.0.0.1/', /127\.0\.0\.1 is not a public/],
    ['https://2130706433/', /127\.0\.0\.1/],
    ['https://0x7f.1/', /127\.0\.0\.1/],
    ['https://0177.0.0.1/', /127\.0\.0\.1/],
    ['https://[::1]/', /::1/],
    ['https://[::ffff:169.254.169.254]/', /not a public/],
  ])('is refused: %s', (url, message) => expect(() => outside.checkUrl(url)).toThrow(message));

  it('has an end', () => {
    expect(() => outside.checkUrl(`https://hook.example/${'x'.repeat(2048)}`)).toThrow(/too long/);
  });

  it('may be plain http where that is allowed', () => {
    const lax = new OutsideAddresses({ allowHttp: true, allowedNetworks: ['127.0.0.1'] });
    expect(lax.checkUrl('http://127.0.0.1:8080/').port).toBe('8080');
  });

  it('never tells a password in the message', () => {
    expect(() => outside.checkUrl('https://user:swordfish@hook.example/')).not.toThrow(/swordfish/);
  });
});

describe('a name', () => {
  it('is reached at its public addresses', async () => {
    expect(await lookUp({}, answering(['8.8.8.8', '1.1.1.1']))).toHaveLength(2);
    expect(await lookUp({}, answering(['8.8.8.8']), false)).toEqual({ address: '8.8.8.8', family: 4 });
  });

  it('is refused when any of its addresses is inside', async () => {
    await expect(lookUp({}, answering(['8.8.8.8', '127.0.0.1']))).rejects.toThrow(/ADDRESS_FORBIDDEN/);
    await expect(lookUp({}, answering([]))).rejects.toThrow(/ADDRESS_FORBIDDEN/);
  });

  it('passes on that it does not exist', async () => {
    const missing: Lookup = (_name, _options, done) => done(new Error('ENOTFOUND hook.example'), []);
    await expect(lookUp({}, missing)).rejects.toThrow(/ENOTFOUND/);
  });

  it('that turns to an inside address between check and connection reaches nobody', async () => {
    const server = await started(createServer(() => undefined));
    let reached = 0;
    server.on('connection', () => (reached += 1));
    const outside = new OutsideAddresses({}, answering(['127.0.0.1']));
    const { port } = server.address() as AddressInfo;
    const url = outside.checkUrl(`https://rebinding.example:${port}/`);
    const failure = await new Promise<Error>((resolve) =>
      connect({ host: url.hostname, port, lookup: outside.lookup }).once('error', resolve),
    );
    expect(failure.message).toMatch(/ADDRESS_FORBIDDEN/);
    expect(reached).toBe(0);
  });
});

async function started(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return server;
}
