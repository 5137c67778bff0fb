import { describe, expect, it } from 'vitest';
import { ERROR_CATALOGUE, TrunklineError, messageOf, type ErrorCode } from '../../../src/base/errors.ts';

const codes = Object.keys(ERROR_CATALOGUE) as ErrorCode[];

describe('the error catalogue', () => {
  it.each(codes)('%s is a constant with a sentence', (code) => {
    expect(code).toMatch(/^[A-Z][A-Z0-9_]+$/);
    expect(ERROR_CATALOGUE[code]).toMatch(/^[A-Za-z].+\.$/s);
  });
});

describe('an error of the catalogue', () => {
  it('tells the code, what was met and what to do', () => {
    const error = new TrunklineError('SIP_PORT_IN_USE', 'udp/127.0.0.1:5060');
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toBe('SIP_PORT_IN_USE');
    expect(error.detail).toBe('udp/127.0.0.1:5060');
    expect(error.message).toBe(`SIP_PORT_IN_USE: udp/127.0.0.1:5060. ${ERROR_CATALOGUE.SIP_PORT_IN_USE}`);
  });

  it('is told apart from others by its name', () => {
    const error = new TrunklineError('STORE_UNAVAILABLE', 'the connection was refused');
    expect(error.name).toBe('TrunklineError');
    expect(String(error)).toMatch(/^TrunklineError: STORE_UNAVAILABLE: the connection was refused\. /);
  });

  it('keeps its cause', () => {
    const cause = new Error('EADDRINUSE');
    expect(new TrunklineError('SIP_PORT_IN_USE', 'x', { cause }).cause).toBe(cause);
  });
});

describe('the sentence of anything thrown', () => {
  it.each([
    [new Error('a sentence'), 'a sentence'],
    ['a string', 'a string'],
    [7, '7'],
    [undefined, 'undefined'],
  ])('%s', (thrown, expected) => {
    expect(messageOf(thrown)).toBe(expected);
  });
});
