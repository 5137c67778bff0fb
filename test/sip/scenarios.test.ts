import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cdr } from '../../src/phone/cdr.ts';
import { TestGateway, briefProfile } from '../support/gateway.ts';
import { TestPhone } from '../support/phone/phone.ts';
import { RtpEndpoint } from '../support/phone/rtp-endpoint.ts';
import { ToolUser, toolUserProfile } from '../support/realtime-server/tool-user.ts';
import { runSipp, startSipp, type SippOptions, type SippRun } from '../support/sipp.ts';
import { silence, tone } from '../support/sound/level.ts';
import { until } from '../support/until.ts';

const patient = '+15550100';
const brief = '+15550101';
/** Loopback addresses stand for carriers: each trunk allows one. */
const impatientTrunk = '127.0.0.3';
const stranger = '127.0.0.2';

type Wanted = Pick<Cdr, 'ending' | 'sipStatus'>;
type Scenario = Omit<SippOptions, 'target'> & { readonly wanted?: Wanted };

const hungUp: Wanted = { ending: 'caller-hung-up', sipStatus: 200 };

/** Dialogs that need nothing but sipp. Without `wanted` there is no call, and so no CDR. */
const dialogs: Scenario[] = [
  { scenario: 'answer-and-caller-hangs-up', wanted: hungUp },
  { scenario: 'answer-pcma-only', wanted: hungUp },
  { scenario: 'answer-without-telephone-event', wanted: hungUp },
  { scenario: 'answer-and-caller-hangs-up', transport: 'tcp', wanted: hungUp },
  { scenario: 'hold-and-resume', transport: 'tcp', wanted: hungUp },
  { scenario: 'gateway-hangs-up', number: brief, wanted: { ending: 'agent-hung-up', sipStatus: 200 } },
  {
    scenario: 'late-bye-crosses-gateway-bye',
    number: brief,
    wanted: { ending: 'agent-hung-up', sipStatus: 200 },
  },
  { scenario: 'cancel-before-180', wanted: { ending: 'caller-cancelled', sipStatus: 487 } },
  { scenario: 'cancel-after-180', wanted: { ending: 'caller-cancelled', sipStatus: 487 } },
  {
    scenario: 'unknown-number-404',
    number: '+15550999',
    wanted: { ending: 'unknown-number', sipStatus: 404 },
  },
  { scenario: 'unlisted-trunk-403', from: stranger, wanted: { ending: 'unknown-trunk', sipStatus: 403 } },
  { scenario: 'no-common-codec-488', wanted: { ending: 'no-common-codec', sipStatus: 488 } },
  { scenario: 'broken-sdp-refused', wanted: { ending: 'bad-sdp', sipStatus: 400 } },
  { scenario: 'required-extension-420', wanted: { ending: 'unsupported-extension', sipStatus: 420 } },
  // The SIP server refuses it before any call is made of it.
  { scenario: 'max-forwards-0-483' },
  { scenario: 'options-200' },
  { scenario: 'unknown-dialog-481' },
  { scenario: 'invite-retransmitted', wanted: hungUp },
  { scenario: 'lost-200', seesRepeats: true, wanted: hungUp },
  { scenario: 'delayed-ack', wanted: hungUp },
  { scenario: 'bye-right-after-ack', wanted: hungUp },
  { scenario: 'bye-before-ack', wanted: hungUp },
  { scenario: 'hold-and-resume', wanted: hungUp },
  { scenario: 'hold-inactive', wanted: hungUp },
  { scenario: 'hold-by-null-address', wanted: hungUp },
  { scenario: 'codec-change-in-call', wanted: hungUp },
  { scenario: 'late-offer', wanted: hungUp },
  { scenario: 'session-timer-accepted', wanted: hungUp },
  { scenario: 'rtp-timeout', from: impatientTrunk, wanted: { ending: 'rtp-timeout', sipStatus: 200 } },
];

describe('a caller on a listed trunk', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start({
      tls: true,
      profiles: [briefProfile('patient', 120_000), briefProfile('brief', 2000)],
      numbers: [
        { number: patient, profile: 'patient' },
        { number: brief, profile: 'brief' },
      ],
      trunks: [
        { name: 'carrier', allow: ['127.0.0.1/32'], calls_max: 200, media: { rtp_timeout_ms: 0 } },
        { name: 'impatient', allow: [`${impatientTrunk}/32`], media: { rtp_timeout_ms: 1000 } },
      ],
    });
  });

  afterAll(() => gateway.close());

  it.each(dialogs.map((one) => ({ transport: 'udp' as const, ...one })))(
    '$scenario ($transport)',
    async ({ wanted, ...options }) => {
      const run = await startSipp({ ...options, target: gateway.target });
      await run.done;
      if (wanted === undefined) return;
      const cdr = await gateway.cdr(run.callId);
      expect({ ending: cdr.ending, sipStatus: cdr.sipStatus }).toEqual(wanted);
    },
  );

  it('answers a retransmitted INVITE with one call', async () => {
    const run = await startSipp({ scenario: 'invite-retransmitted', target: gateway.target });
    await run.done;
    await gateway.cdr(run.callId);
    expect(gateway.cdrs.filter((cdr) => cdr.sipCallId === run.callId)).toHaveLength(1);
  });

  /** A sipp dialog whose sound the test sends. The socket is the one that the SDP names. */
  async function withSound(
    scenario: string,
    act: (rtp: RtpEndpoint, run: SippRun) => Promise<void>,
  ): Promise<Cdr> {
    const rtp = await RtpEndpoint.open('pcmu');
    const run = await startSipp({ scenario, target: gateway.target, rtpPort: rtp.port });
    try {
      // The gateway speaks as soon as it answered; where that comes from is where its ear is.
      await until('the gateway is heard', () => rtp.received.last !== undefined);
      await act(rtp, run);
      run.release();
      await run.done;
      return await gateway.cdr(run.callId);
    } finally {
      rtp.close();
      await run.stop();
    }
  }

  it('rtp-from-another-port: is heard from a port that its SDP did not name', async () => {
    const cdr = await withSound('rtp-from-another-port', async (rtp) => {
      const other = await RtpEndpoint.open('pcmu');
      try {
        other.sendTo(rtp.source);
        await other.play(tone(440, 600));
        // Sound goes back to where it comes from.
        await until('sound arrives at the new port', () => other.received.packets.length > 5);
      } finally {
        other.close();
      }
    });
    expect(cdr.media?.fromCaller.packets).toBeGreaterThan(20);
  });

  it('ssrc-change: is heard without a break when its SSRC changes', async () => {
    const cdr = await withSound('ssrc-change', async (rtp) => {
      rtp.sendTo(rtp.source);
      await rtp.play(tone(440, 400));
      rtp.changeSsrc();
      await rtp.play(tone(440, 400));
    });
    expect(cdr.media?.fromCaller).toMatchObject({ ssrcChanges: 1, droppedForeignSource: 0 });
    expect(cdr.media?.fromCaller.packets).toBeGreaterThan(35);
  });

  it.each([
    ['dtmf-without-marker', { marker: false }],
    ['dtmf-without-end-bit', { endBit: false }],
  ])('%s: is counted as one key press each', async (scenario, options) => {
    await withSound(scenario, async (rtp, run) => {
      rtp.sendTo(rtp.source);
      await rtp.play(silence(100));
      await rtp.press('42#', options);
      const record = await gateway.record(run.callId, 'three digits', ({ timeline }) => {
        return timeline.filter((entry) => entry.type === 'digit').length >= 3;
      });
      const digits = record.timeline.flatMap((entry) => (entry.type === 'digit' ? [entry.digit] : []));
      expect(digits.join('')).toBe('42#');
    });
  });

  it('dtmf-by-info: is the same digit as any other', async () => {
    await withSound('dtmf-by-info', async (_rtp, run) => {
      const record = await gateway.record(run.callId, 'the digit', ({ timeline }) =>
        timeline.some((entry) => entry.type === 'digit'),
      );
      expect(record.timeline).toContainEqual(expect.objectContaining({ type: 'digit', digit: '7' }));
    });
  });

  // Debian's SIPp has no TLS: the test phone calls in its place.
  it('tls: is answered, hears the agent and hangs up', async () => {
    const phone = await TestPhone.start({ transport: 'tls' });
    try {
      const call = await phone.dial({ to: patient, target: `127.0.0.1:${gateway.tlsPort}` });
      expect(await call.agentSilenceFor(300)).toEqual({ outcome: 'silent' });
      await call.hangUp();
      const cdr = await gateway.cdr(call.sipCallId);
      expect(cdr.ending).toBe('caller-hung-up');
      expect(cdr.source).toMatch(/^tls /);
    } finally {
      await phone.close();
    }
  });

  it('hundred-calls: takes 100 calls at 50 a second without a failure', { timeout: 60_000 }, async () => {
    const result = await runSipp({
      scenario: 'hundred-calls',
      target: gateway.target,
      calls: 100,
      rate: 50,
      limit: 200,
      pauseMs: 500,
      timeoutS: 40,
    });
    expect(result).toMatchObject({ successful: 100, failed: 0 });
  });

  it('leaves nothing open', async () => {
    expect(await gateway.leftOpen()).toEqual([]);
  });
});

describe('an agent that hands the call over', () => {
  let gateway: TestGateway;
  let model: ToolUser;

  beforeAll(async () => {
    model = await ToolUser.start({
      atOnce: { name: 'transfer_to_number', arguments: { number: '+15550123' } },
    });
    const transfer = { numbers: ['+15550123'], timeout_ms: 1500 };
    gateway = await TestGateway.start({
      profiles: [toolUserProfile('operator', { tools: ['transfer_to_number'], transfer })],
      numbers: [{ number: patient, profile: 'operator' }],
      trunks: [{ name: 'carrier', allow: ['127.0.0.1/32'], media: { rtp_timeout_ms: 0 } }],
      realtime: model.settings,
    });
  });

  afterAll(async () => {
    expect(await gateway.leftOpen()).toEqual([]);
    await gateway.close();
    await model.close();
  });

  it.each<[scenario: string, wanted: Wanted, result: object]>([
    ['transfer-succeeds', { ending: 'transferred', sipStatus: 200 }, { ok: true }],
    ['transfer-busy-486', hungUp, { ok: false, reason: 'That number is busy.', status: 486 }],
    [
      'transfer-without-notify',
      hungUp,
      { ok: false, reason: 'I was not told in time whether the transfer worked.' },
    ],
  ])('%s: tells the truth of it', async (scenario, wanted, result) => {
    const run = await startSipp({ scenario, target: gateway.target });
    await run.done;
    const cdr = await gateway.cdr(run.callId);
    expect({ ending: cdr.ending, sipStatus: cdr.sipStatus }).toEqual(wanted);
    const record = await gateway.record(run.callId, 'the tool', ({ timeline }) =>
      timeline.some((entry) => entry.type === 'tool'),
    );
    expect(record.timeline.find((entry) => entry.type === 'tool')).toMatchObject({ result });
  });
});

describe('a trunk with credentials', () => {
  const username = 'carrier';
  const password = 'correct horse';
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start({
      profiles: [briefProfile('patient', 120_000)],
      numbers: [{ number: patient, profile: 'patient' }],
      trunks: [{ name: 'digest', auth: { username, password } }],
    });
  });

  afterAll(() => gateway.close());

  // SIPp's own digest reads the first challenge only, and knows no SHA-256.
  async function credentials(algorithm: 'MD5' | 'SHA-256', secret: string): Promise<string> {
    const { log } = await runSipp({ scenario: 'digest-challenge-401', target: gateway.target });
    const [, nonce = ''] = /nonce=(\S+)/.exec(log) ?? [];
    const uri = `sip:${patient}@${gateway.target}`;
    const hash = (text: string): string =>
      createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
        .update(text)
        .digest('hex');
    const own = hash(`${username}:trunkline:${secret}`);
    const response = hash(`${own}:${nonce}:00000001:c0ffee:auth:${hash(`INVITE:${uri}`)}`);
    return (
      `Digest username="${username}", realm="trunkline", nonce="${nonce}", uri="${uri}", ` +
      `response="${response}", algorithm=${algorithm}, cnonce="c0ffee", qop=auth, nc=00000001`
    );
  }

  it.each(['MD5', 'SHA-256'] as const)('digest: proves itself by %s and is answered', async (algorithm) => {
    const authorization = await credentials(algorithm, password);
    const run = await startSipp({ scenario: 'digest', target: gateway.target, keys: { authorization } });
    await run.done;
    const cdr = await gateway.cdr(run.callId);
    expect(cdr).toMatchObject({ ending: 'caller-hung-up', trunk: 'digest' });
  });

  it('digest-wrong-password-403: is refused', async () => {
    const authorization = await credentials('SHA-256', 'battery staple');
    const run = await startSipp({
      scenario: 'digest-wrong-password-403',
      target: gateway.target,
      keys: { authorization },
    });
    await run.done;
    expect(await gateway.cdr(run.callId)).toMatchObject({ ending: 'bad-credentials', sipStatus: 403 });
  });
});

it('every scenario in sip/scenarios is run by a test', () => {
  const folder = fileURLToPath(new URL('../../sip/scenarios/', import.meta.url));
  const source = readFileSync(fileURLToPath(import.meta.url), 'utf8');
  const names = readdirSync(folder).map((name) => name.replace(/\.xml$/, ''));
  expect(names.length).toBeGreaterThanOrEqual(20);
  expect(names.filter((name) => !source.includes(`'${name}`))).toEqual([]);
});
