/** Tools that work on the call itself: digits from the caller, and a transfer. */
import { describe, expect, it } from 'vitest';
import { Keypad } from '../../../../src/agent/keypad.ts';
import { collectDigits } from '../../../../src/agent/tools/collect-digits.ts';
import { ToolRegistry } from '../../../../src/agent/tools/tool-registry.ts';
import type { ToolResult } from '../../../../src/agent/tools/tool.ts';
import { transferToNumber } from '../../../../src/agent/tools/transfer-to-number.ts';
import type { CallControl, TransferOutcome } from '../../../../src/room/call-control.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { callerOf, PHONE, runnerOf, WEB } from './stage.ts';

interface Collecting {
  readonly clock: ManualClock;
  readonly keypad: Keypad;
  readonly result: Promise<ToolResult>;
  readonly press: (keys: string) => void;
}

async function collect(given: object = {}, keypad = new Keypad()): Promise<Collecting> {
  const clock = new ManualClock();
  const registry = new ToolRegistry({ tools: [collectDigits(clock)], clock });
  const result = registry.run('collect_digits', given, callerOf({ keypad }));
  result.catch(() => undefined);
  await Promise.resolve();
  const press = (keys: string): void => {
    for (const key of keys) keypad.pressed(key);
  };
  return { clock, keypad, result, press };
}

const got = (digits: string): object => ({
  ok: true,
  digits,
  next: expect.stringContaining('back') as string,
});
const NOTHING = { ok: false, reason: 'I did not get any digits.', ask: 'digits' };

describe('collect_digits', () => {
  it('ends with its terminator', async () => {
    const { press, result, keypad } = await collect();
    press('4711#');
    expect(await result).toEqual(got('4711'));
    expect(keypad.pressed('1')).toBe('free');
  });

  it('ends with as many digits as there may be, and takes no more', async () => {
    const { press, result } = await collect({ max_digits: 4 });
    press('471199');
    expect(await result).toEqual(got('4711'));
  });

  it('ends with a pause after a digit, which begins anew with each', async () => {
    const { press, result, clock } = await collect({ between_s: 4 });
    press('4');
    clock.advance(3999);
    press('7');
    clock.advance(3999);
    press('1');
    clock.advance(4000);
    expect(await result).toEqual(got('471'));
  });

  it('waits for the first digit only so long', async () => {
    const { result, clock } = await collect({ wait_s: 10 });
    clock.advance(10_000);
    expect(await result).toEqual(NOTHING);
  });

  it('is not content with too few', async () => {
    const first = await collect({ min_digits: 4 });
    first.press('47#');
    expect(await first.result).toEqual({ ok: false, reason: 'That was only 2 digits.', ask: 'digits' });
    const second = await collect({ min_digits: 4 });
    second.press('4');
    second.clock.advance(4000);
    expect(await second.result).toEqual({ ok: false, reason: 'That was only one digit.', ask: 'digits' });
  });

  it('starts anew with the key that is no terminator', async () => {
    const { press, result } = await collect();
    press('99*4711#');
    expect(await result).toEqual(got('4711'));
  });

  it('may be ended by *, or by no key at all', async () => {
    const star = await collect({ terminator: '*' });
    star.press('99#47*');
    expect(await star.result).toEqual(got('47'));
    const none = await collect({ terminator: '' });
    none.press('47A');
    none.clock.advance(4000);
    expect(await none.result).toEqual(got('47'));
  });

  it('hears digits that are said, in pieces and mixed with keys', async () => {
    const { press, keypad, result } = await collect({ max_digits: 7 });
    keypad.heard('one moment please');
    keypad.heard('it is four seven');
    press('1');
    keypad.heard('double one, 2 3');
    expect(await result).toEqual(got('4711123'));
  });

  it('ends with the call', async () => {
    const { press, keypad, result, clock } = await collect();
    press('47');
    keypad.end();
    expect(await result).toEqual({ ok: false, reason: 'The call is over.' });
    expect(clock.pending).toBe(0);
  });

  it('gives way to a later one', async () => {
    const keypad = new Keypad();
    const first = await collect({}, keypad);
    first.press('12');
    const second = await collect({}, keypad);
    second.press('34#');
    expect(await second.result).toEqual(got('34'));
    expect(await first.result).toMatchObject({ ok: false });
  });

  it('takes none without a keypad, or when the call is over', async () => {
    const keypad = new Keypad();
    keypad.end();
    const { result, clock } = await collect({}, keypad);
    expect(await result).toEqual({ ok: false, reason: 'I cannot take digits at the moment.' });
    expect(clock.pending).toBe(0);
  });

  it('keeps a secret: no text may tell it, and the model is told not to', async () => {
    const { keypad, result } = await collect({ secret: true, min_digits: 4, max_digits: 4 });
    expect(keypad.pressed('4')).toBe('secret');
    expect(keypad.secrets.masked('seven one one')).toBe('•••');
    keypad.heard('seven one one');
    expect(await result).toMatchObject({
      digits: '4711',
      next: expect.stringContaining('Do not say') as string,
    });
    expect(keypad.secrets.masked('was it 4711, or four seven one two?')).toBe(
      'was it •••, or four seven one two?',
    );
    expect(keypad.pressed('1')).toBe('free');
  });

  it.each([
    { min_digits: 0 },
    { max_digits: 33 },
    { min_digits: 5, max_digits: 4 },
    { terminator: '1' },
    { wait_s: 0 },
    { between_s: 21 },
    { digits: '1' },
  ])('refuses %j', async (given) => {
    const { result } = await collect(given);
    await expect(result).rejects.toMatchObject({ code: 'TOOL_ARGUMENTS_INVALID' });
  });
});

describe('transfer_to_number', () => {
  const transfer = { numbers: ['+15550123', '+44*'], timeout_ms: 7000 };
  const asked: { number: string; timeoutMs: number }[] = [];
  const phone = (outcome: TransferOutcome): CallControl => ({
    ...PHONE,
    transfer: (number, { timeoutMs }) => {
      asked.push({ number, timeoutMs });
      return Promise.resolve(outcome);
    },
  });
  const run = (number: string, call: CallControl, profile: object = { transfer }): Promise<ToolResult> =>
    runnerOf(transferToNumber())('transfer_to_number', { number }, { call, profile });

  it('hands the call over, with the time that the profile gives', async () => {
    asked.length = 0;
    const done = await run('+1 (555) 0123', phone({ outcome: 'transferred' }));
    expect(done).toEqual({ ok: true, number: '+15550123' });
    expect(asked).toEqual([{ number: '+15550123', timeoutMs: 7000 }]);
  });

  it.each<[TransferOutcome, object]>([
    [
      { outcome: 'refused', status: 405 },
      { reason: 'This call cannot be transferred by the telephone network.', status: 405 },
    ],
    [
      { outcome: 'failed', status: 486 },
      { reason: 'That number is busy.', status: 486 },
    ],
    [
      { outcome: 'failed', status: 404 },
      { reason: 'That number does not exist.', status: 404 },
    ],
    [
      { outcome: 'failed', status: 503 },
      { reason: 'That number could not be reached.', status: 503 },
    ],
    [{ outcome: 'unknown' }, { reason: 'I was not told in time whether the transfer worked.' }],
    [{ outcome: 'ended' }, { reason: 'The call is over.' }],
  ])('tells the truth of %j', async (outcome, result) => {
    expect(await run('+15550123', phone(outcome))).toEqual({ ok: false, ...result });
  });

  it.each([
    ['+4790000000', {}],
    ['+15550124', {}],
    ['+15550123', { transfer: {} }],
  ])('calls nobody who is not on the list: %s', async (number, profile) => {
    asked.length = 0;
    const whole = { transfer, ...profile };
    expect(await run(number, phone({ outcome: 'transferred' }), whole)).toEqual({
      ok: false,
      reason: 'I may not transfer calls to that number.',
    });
    expect(asked).toEqual([]);
  });

  it('needs a number, and a telephone call', async () => {
    expect(await run('reception', phone({ outcome: 'transferred' }))).toMatchObject({ ask: 'number' });
    expect(await run('+15550123', WEB)).toEqual({
      ok: false,
      reason: 'A call from a web page cannot be transferred to a telephone number.',
    });
  });
});
