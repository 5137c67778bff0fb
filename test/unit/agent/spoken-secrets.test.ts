import { describe, expect, it } from 'vitest';
import { Keypad, type KeyListener } from '../../../src/agent/keypad.ts';
import { digitsSaid, isMostlyDigits, SpokenSecrets } from '../../../src/agent/spoken-secrets.ts';

describe('digits in what is said', () => {
  it.each([
    ['one two three', '123'],
    ['oh double seven 5', '0775'],
    ['4-2, 4 2.', '4242'],
    ['my number is nine', '9'],
    ['no digits at all', ''],
  ])('%s: %s', (text, digits) => {
    expect(digitsSaid(text)).toBe(digits);
  });
});

describe('SpokenSecrets', () => {
  it('lets everything pass while there is none', () => {
    const secrets = new SpokenSecrets();
    const value = { text: 'one two three four', list: [1234] };
    expect(secrets.masked(value.text)).toBe(value.text);
    expect(secrets.maskedDeep(value)).toBe(value);
  });

  it('masks every number while one is being given', () => {
    const secrets = new SpokenSecrets();
    secrets.listening = true;
    expect(secrets.masked('it is four double two, 1 thank you')).toBe('it is ••• thank you');
    secrets.listening = false;
    expect(secrets.masked('at ten two')).toBe('at ten two');
  });

  it.each([
    ['your code is 4711.', 'your code is •••.'],
    ['is it four seven one one?', 'is it •••?'],
    ['four, seven, one … one', '••• … one'],
    ['call 00471199', 'call •••'],
    ['four seven one', '•••'],
    ['at four', 'at four'],
    ['someone at seven thirty', 'someone at seven thirty'],
  ])('masks a secret however it is told: %s', (text, masked) => {
    const secrets = new SpokenSecrets();
    secrets.keep('4711');
    expect(secrets.masked(text)).toBe(masked);
  });

  it('masks within values', () => {
    const secrets = new SpokenSecrets();
    secrets.keep('4711');
    expect(
      secrets.maskedDeep({ ok: true, pin: '4711', tries: [4711, 3, null], more: { say: 'it is 4711' } }),
    ).toEqual({ ok: true, pin: '•••', tries: ['•••', 3, null], more: { say: 'it is •••' } });
  });

  it('masks a secret shorter than a piece', () => {
    const secrets = new SpokenSecrets();
    secrets.keep('42');
    expect(secrets.masked('4 2 or 4')).toBe('••• or 4');
  });

  it('forgets the oldest when there are too many', () => {
    const secrets = new SpokenSecrets();
    for (let one = 100_000; one < 100_040; one += 1) secrets.keep(String(one));
    expect(secrets.masked('100000 and 100039')).toBe('100000 and •••');
  });
});

describe('Keypad', () => {
  const listener = (secret: boolean): KeyListener & { told: string[] } => {
    const told: string[] = [];
    return {
      told,
      secret,
      pressed: (key) => told.push(key),
      heard: (text) => told.push(text),
      ended: () => told.push('ended'),
    };
  };

  it('leaves keys to the model while nobody listens', () => {
    const keypad = new Keypad();
    expect(keypad.pressed('1')).toBe('free');
    keypad.heard('hello');
  });

  it('gives keys and words to one listener at a time', () => {
    const keypad = new Keypad();
    const [one, other] = [listener(false), listener(true)];
    const stop = keypad.listen(one);
    expect(keypad.pressed('1')).toBe('taken');
    keypad.heard('two');
    stop?.();
    expect(keypad.pressed('3')).toBe('free');
    expect(one.told).toEqual(['1', 'two']);
    const stopOther = keypad.listen(other);
    stop?.();
    expect(keypad.pressed('4')).toBe('secret');
    expect(keypad.secrets.listening).toBe(true);
    stopOther?.();
    expect(keypad.secrets.listening).toBe(false);
    expect(other.told).toEqual(['4']);
  });

  it('gives them to whoever asked last, and tells the other', () => {
    const keypad = new Keypad();
    const [one, other] = [listener(true), listener(false)];
    const stop = keypad.listen(one);
    keypad.listen(other);
    stop?.();
    expect(keypad.pressed('1')).toBe('taken');
    expect([one.told, other.told, keypad.secrets.listening]).toEqual([['ended'], ['1'], false]);
  });

  it.each([
    ['four seven one one', true],
    ['my number is double four two', true],
    ["it's 4 7", true],
    ['one moment please', false],
    ['what are your opening hours', false],
    ['', false],
  ])('knows a number from words around one: %s', (text, isNumber) => {
    expect(isMostlyDigits(text)).toBe(isNumber);
  });

  it('tells its listener of the end, and takes no more', () => {
    const keypad = new Keypad();
    const one = listener(false);
    keypad.listen(one);
    keypad.end();
    expect(one.told).toEqual(['ended']);
    expect(keypad.listen(listener(false))).toBeNull();
  });
});
