/** A whole gateway whose agent uses every kind of tool: built in, over HTTP, and an MCP server's. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../../support/gateway.ts';
import type { CallRecord } from '../../support/operator.ts';
import type { PhoneCall } from '../../support/phone/call.ts';
import { TestPhone } from '../../support/phone/phone.ts';
import { ToolUser, toolUserProfile, type ToolUse } from '../../support/realtime-server/tool-user.ts';
import { until } from '../../support/until.ts';

const number = '+15550100';
const mcpProgram = fileURLToPath(new URL('../../support/mcp/stdio.ts', import.meta.url));
const token = 'a-token-that-nobody-may-see';

const shop = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ state: 'sent', auth: request.headers.authorization, path: request.url }));
});

let gateway: TestGateway;
let model: ToolUser;
let phone: TestPhone;
let call: PhoneCall;

beforeAll(async () => {
  shop.listen(0, '127.0.0.1');
  await once(shop, 'listening');
  const { port } = shop.address() as AddressInfo;
  model = await ToolUser.start();
  gateway = await TestGateway.start({
    trunks: [{ name: 'local', allow: ['127.0.0.1/32'] }],
    numbers: [{ number, profile: 'desk' }],
    profiles: [
      toolUserProfile('desk', {
        tools: [
          'take_message',
          'save_contact',
          'send_sms',
          'book_appointment',
          'order',
          'crm_*',
          'collect_digits',
        ],
        sms_numbers: ['+1555*'],
      }),
    ],
    realtime: model.settings,
    tools: {
      networks: ['127.0.0.1'],
      http: [
        {
          name: 'order',
          description: 'Tells the state of an order.',
          parameters: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
          url: `http://127.0.0.1:${port}/orders/{id}`,
          auth: { value: `Bearer ${token}` },
        },
      ],
      mcp: [{ name: 'crm', command: process.execPath, args: [mcpProgram], tools: ['echo'] }],
      mcp_patience_ms: 20_000,
    },
  });
  phone = await TestPhone.start();
  call = await phone.dial({ to: number, target: gateway.target });
  // The model has spoken: its first response is over, and it may begin another.
  await said(1);
});

afterAll(async () => {
  await call.hangUp();
  await gateway.cdr(call.sipCallId);
  await phone.close();
  expect(await gateway.leftOpen()).toEqual([]);
  await gateway.close();
  await model.close();
  shop.close();
});

const toolsIn = (record: CallRecord): Extract<CallRecord['timeline'][number], { type: 'tool' }>[] =>
  record.timeline.filter((entry) => entry.type === 'tool');
const repliesIn = (record: CallRecord): number =>
  record.timeline.filter((entry) => entry.type === 'said').length;

let replies = 0;
async function said(more: number): Promise<CallRecord> {
  replies += more;
  return gateway.record(call.sipCallId, `${replies} replies`, (one) => repliesIn(one) >= replies, 20_000);
}

/** What the timeline has of a tool that the model used, once the model has spoken of it. */
async function use(tool: ToolUse): Promise<unknown> {
  model.use(tool);
  return toolsIn(await said(1)).at(-1);
}

async function listed(name: string): Promise<unknown[]> {
  const response = await fetch(`${gateway.operatorUrl}/v1/${name}`);
  const body = (await response.json()) as Record<string, unknown[]>;
  return body[name] ?? [];
}

describe('an agent', { timeout: 40_000 }, () => {
  it.each<[list: string, tool: ToolUse, kept: object]>([
    [
      'messages',
      { name: 'take_message', arguments: { name: 'Anna Miller', text: 'Call me', phone: '+15550123' } },
      { name: 'Anna Miller', phone: '+15550123', text: 'Call me', profile: 'desk', tenant: 'default' },
    ],
    [
      'contacts',
      { name: 'save_contact', arguments: { name: 'Anna Miller', phone: '+15550123' } },
      { name: 'Anna Miller', phone: '+15550123', email: '' },
    ],
    [
      'sms',
      { name: 'send_sms', arguments: { to: '+15550123', text: 'Hello' } },
      { to: '+15550123', text: 'Hello' },
    ],
    [
      'appointments',
      { name: 'book_appointment', arguments: { name: 'Anna Miller', day: '2099-01-05', time: '10:00' } },
      { name: 'Anna Miller', day: '2099-01-05', time: '10:00' },
    ],
  ])('writes into %s, once, and operators see it', async (list, tool, kept) => {
    expect(await use(tool)).toMatchObject({ ...tool, result: { ok: true }, code: null });
    await use(tool);
    expect(await listed(list)).toMatchObject([kept]);
  });

  it('asks a web server, without giving its token away', async () => {
    const entry = await use({ name: 'order', arguments: { id: 'a/7' } });
    expect(entry).toMatchObject({ result: { ok: true, body: { state: 'sent', path: '/orders/a%2F7' } } });
    const told = JSON.stringify([await gateway.calls(), gateway.logLines]);
    expect(told).not.toContain(token);
  });

  it('uses an MCP server, which operators see', async () => {
    const entry = await use({ name: 'crm_echo', arguments: { words: 'hello' } });
    expect(entry).toMatchObject({ result: { ok: true, text: 'hello' } });
    expect(await listed('mcp_servers')).toEqual([{ name: 'crm', connected: true }]);
  });

  it('is told what was wrong, and the timeline has it, too', async () => {
    const entry = await use({ name: 'order', arguments: {} });
    expect(entry).toMatchObject({ code: 'TOOL_ARGUMENTS_INVALID', result: { ok: false } });
    expect(await use({ name: 'find_slots', arguments: {} })).toMatchObject({ code: 'TOOL_UNKNOWN' });
  });

  it('takes a secret by keys, and nobody reads it anywhere', async () => {
    model.use({ name: 'collect_digits', arguments: { secret: true, min_digits: 12, max_digits: 12 } });
    const secret = '471180264913';
    const masked = (record: CallRecord): number =>
      record.timeline.filter((entry) => entry.type === 'digit' && entry.digit === '•').length;
    const asked = (): boolean =>
      gateway.logLines.some((line) => line.msg === 'tool asked' && line.tool === 'collect_digits');
    await until('the tool listens', asked);
    // Longer than any port or time that may stand there by chance.
    await call.dtmf(secret);
    const record = await gateway.record(call.sipCallId, 'all keys', (one) => masked(one) === secret.length);
    expect(masked(record)).toBe(secret.length);
    expect(toolsIn(await said(1)).at(-1)).toMatchObject({
      name: 'collect_digits',
      result: { digits: '•••' },
    });
    expect(JSON.stringify([await gateway.calls(), gateway.logLines])).not.toContain(secret);
  });
});
