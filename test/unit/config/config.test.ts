import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../src/base/errors.ts';
import { loadSettings, readEnvironment } from '../../../src/config.ts';

const PROFILE = `
name: desk
greeting: Hello.
not_understood: [Pardon?]
still_there: [Are you there?]
anything_else: Anything else?
goodbye: Goodbye.
tasks:
  - { name: hours, phrases: [opening hours], done: We are open. }
`;

const MINIMAL = `
trunks:
  - name: local
    allow: [127.0.0.1/32]
numbers:
  - { number: '+15550100', profile: desk }
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-config-'));
  mkdirSync(join(folder, 'agents'));
  writeFileSync(join(folder, 'agents', 'desk.yaml'), PROFILE);
});
afterEach(() => rmSync(folder, { recursive: true }));

function load(text: string, variables: Record<string, string> = {}): ReturnType<typeof loadSettings> {
  const file = join(folder, 'trunkline.yaml');
  writeFileSync(file, `profiles_dir: ${join(folder, 'agents')}\n${text}`);
  return loadSettings(readEnvironment({ TRUNKLINE_CONFIG: file, ...variables }));
}

function problem(text: string, variables: Record<string, string> = {}): TrunklineError {
  try {
    load(text, variables);
  } catch (error) {
    if (error instanceof TrunklineError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

/** Eight times the sequence of the letter before. */
function multiplied(letter: string): string {
  const before = String.fromCharCode(letter.charCodeAt(0) - 1);
  return `${letter}: &${letter} [${Array<string>(8).fill(`*${before}`).join(', ')}]`;
}

describe('a configuration that is right', () => {
  it('needs no more than a trunk and a number; the rest has defaults', () => {
    const { config, profiles } = load(MINIMAL);
    expect(config.media).toMatchObject({ address: '127.0.0.1', rtp_port_min: 20000, threads: 0 });
    expect(config.sip.listen).toHaveLength(2);
    expect(config.trunks[0]).toMatchObject({ codecs: ['pcmu', 'pcma'], media: { rtp_timeout_ms: 30_000 } });
    expect(profiles.get('desk')?.turns.end_of_speech_ms).toBe(600);
  });

  it.each([
    [30_000, 30_003],
    [30_001, 30_005],
  ])('takes the ports %i to %i, which are two pairs', (min, max) => {
    const { config } = load(`${MINIMAL}media: { rtp_port_min: ${min}, rtp_port_max: ${max} }\n`);
    expect(config.media).toMatchObject({ rtp_port_min: min, rtp_port_max: max });
  });

  it('takes secrets from the environment', () => {
    const text = MINIMAL.replace('allow: [127.0.0.1/32]', "auth: { username: a, password: '${env:SECRET}' }");
    expect(load(text, { SECRET: 'swordfish' }).config.trunks[0]?.auth?.password).toBe('swordfish');
    expect(problem(text).message).toMatch(/environment variable SECRET is not set/);
  });

  it('is what stands in config/', () => {
    const { config, profiles } = loadSettings(readEnvironment({}));
    expect(config.numbers.map((one) => one.profile).every((name) => profiles.has(name))).toBe(true);
  });

  it('explains in config/ the defaults that it has anyway', () => {
    const shipped = loadSettings(readEnvironment({})).config;
    const defaults = load(MINIMAL).config;
    const web = { ...shipped.web, widget_keys: [] };
    const desk = { ...shipped.desk, keys: [], origins: [] };
    // Trunks, numbers and prices are examples or a table with a day, and no defaults.
    const prices = defaults.prices;
    expect({ ...shipped, web, desk, prices, trunks: [], numbers: [], profiles_dir: '' }).toEqual({
      ...defaults,
      trunks: [],
      numbers: [],
      profiles_dir: '',
    });
  });
});

describe('a configuration that is wrong', () => {
  it('names the line and the nearest key of a typo', () => {
    const error = problem(`${MINIMAL}media:\n  rtp_port_mni: 20000\n`);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toMatch(
      /trunkline\.yaml:9: unknown key "media\.rtp_port_mni": did you mean "rtp_port_min"/,
    );
  });

  it('says to remove a key that resembles none', () => {
    expect(problem(`${MINIMAL}zzzzzzzz: 1\n`).message).toMatch(/unknown key "zzzzzzzz": remove it/);
  });

  it('names every problem at once', () => {
    const { message } = problem(`${MINIMAL}media: { threads: -1 }\ncalls: { max: nobody }\n`);
    expect(message).toMatch(/media\.threads/);
    expect(message).toMatch(/calls\.max/);
  });

  it.each([
    ['media: { rtp_port_min: 30000, rtp_port_max: 30001 }', /at least two port pairs/],
    ['media: { rtp_port_min: 30001, rtp_port_max: 30004 }', /at least two port pairs/],
    ['media: { rtp_port_min: 31000, rtp_port_max: 30000 }', /at least two port pairs/],
    ["media: { address: '::' }", /:: cannot be written into an SDP answer/],
    ['media: { address: 0.0.0.0 }', /cannot be written into an SDP answer/],
    ['sip: { listen: [{ transport: tls, host: 127.0.0.1, port: 5061 }] }', /key_file and cert_file/],
    ['sip: { listen: [{ transport: sctp, host: 127.0.0.1, port: 5060 }] }', /sip\.listen\[0\]\.transport/],
    ['sip: { listen: [{ transport: udp, host: localhost, port: 5060 }] }', /must be an IP address/],
    ['operator: { port: 70000 }', /operator\.port/],
    ['realtime: { append_ms: 30 }', /realtime\.append_ms/],
    ['web: { token_secret: short }', /web\.token_secret: .*32 characters/],
    ['web: { tenant_keys: [{ tenant: a, key: short }] }', /web\.tenant_keys\[0\]\.key: .*16 characters/],
    ["web: { widget_keys: [{ key: demo, origins: ['*'], profiles: [desk] }] }", /must be an origin/],
    [
      "web: { widget_keys: [{ key: demo, origins: ['https://a.test/x'], profiles: [desk] }] }",
      /without a path/,
    ],
    [
      "web: { widget_keys: [{ key: demo, origins: ['https://*.test'], profiles: [desk] }] }",
      /must be an origin/,
    ],
    ['web: { widget_keys: [{ key: demo, origins: [], profiles: [desk] }] }', /origins/],
    ["web: { widget_keys: [{ key: demo, origins: ['https://a.test'], profiles: [] }] }", /profiles/],
    ["web: { ice: { turn_urls: ['turn:turn.test:3478'] } }", /web\.ice\.turn_secret: must be set/],
    ["web: { ice: { turn_urls: ['http://turn.test'] } }", /must begin with turn/],
    ["web: { ice: { stun_urls: ['turn:turn.test'] } }", /must begin with stun/],
    ['web: { ice: { relay_only: true } }', /web\.ice\.relay_only: needs turn_urls/],
    ['web: { watch: { alert_after_ms: 1 } }', /web\.watch\.alert_after_ms/],
    ['web: { limits: { message_bytes_max: 10 } }', /web\.limits\.message_bytes_max/],
    ['web: { limits: { sockets_per_address: 0 } }', /web\.limits\.sockets_per_address/],
  ])('refuses %s', (addition, expected) => {
    expect(problem(`${MINIMAL}${addition}\n`).message).toMatch(expected);
  });

  it('refuses a trunk nobody can use, doubled names and doubled numbers', () => {
    expect(problem(MINIMAL.replace('allow: [127.0.0.1/32]', 'tenant: a')).message).toMatch(
      /nobody could call/,
    );
    expect(problem(MINIMAL.replace('127.0.0.1/32', 'anywhere')).message).toMatch(/network such as/);
    expect(problem(`${MINIMAL}  - { number: '+15550100', profile: desk }\n`).message).toMatch(/routed twice/);
  });

  it('refuses a number whose profile is missing and lists those that exist', () => {
    expect(problem(MINIMAL.replace('profile: desk', 'profile: disk')).message).toMatch(
      /no profile "disk".*desk/,
    );
  });

  it('refuses a widget key whose profile is missing', () => {
    const key = "{ key: demo, origins: ['https://a.test'], profiles: [desk, disk] }";
    expect(problem(`${MINIMAL}web: { widget_keys: [${key}] }\n`).message).toMatch(
      /web\.widget_keys\[0\]\.profiles\[1\]: no profile "disk".*desk/,
    );
  });

  it('names line and column of broken YAML', () => {
    const error = problem(`${MINIMAL}media: [\n`);
    expect(error.code).toBe('CONFIG_SYNTAX');
    expect(error.message).toMatch(/trunkline\.yaml:\d+:\d+/);
  });

  it.each([
    ['an alias without an anchor', 'log: *nowhere\n', /nowhere/],
    [
      'aliases that multiply without end',
      ['a: &a [x, x, x, x, x, x, x, x]', ...['b', 'c', 'd', 'e'].map(multiplied), ''].join('\n'),
      /alias/i,
    ],
  ])('names the file of %s', (_what, text, words) => {
    const error = problem(`${MINIMAL}${text}`);
    expect(error.code).toBe('CONFIG_SYNTAX');
    expect(error.message).toMatch(/trunkline\.yaml/);
    expect(error.message).toMatch(words);
  });

  it('names a file or folder that is not there', () => {
    const missing = (): unknown =>
      loadSettings(readEnvironment({ TRUNKLINE_CONFIG: join(folder, 'none.yaml') }));
    expect(missing).toThrow(/CONFIG_UNREADABLE/);
    rmSync(join(folder, 'agents'), { recursive: true });
    expect(problem(MINIMAL).code).toBe('CONFIG_UNREADABLE');
    mkdirSync(join(folder, 'agents'));
  });

  it('refuses two profiles of one name', () => {
    writeFileSync(join(folder, 'agents', 'other.yaml'), PROFILE);
    expect(problem(MINIMAL).message).toMatch(/"desk" exists already/);
  });
});
