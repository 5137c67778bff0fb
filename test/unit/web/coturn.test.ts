/** config/coturn/turnserver.conf: every setting explained, and nothing open that should be closed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/config.ts';

const lines = readFileSync(join(packageRoot, 'config', 'coturn', 'turnserver.conf'), 'utf8').split('\n');
const settings = lines.filter((line) => line !== '' && !line.startsWith('#'));

describe('the configuration of coturn', () => {
  it('explains every setting in the line above it', () => {
    const bare = lines.filter(
      (line, index) => settings.includes(line) && lines[index - 1]?.startsWith('#') !== true,
    );
    expect(bare).toEqual([]);
  });

  it('lets in whom the gateway made credentials for, and nobody else', () => {
    expect(settings).toContain('use-auth-secret');
    expect(settings.filter((line) => /^(no-auth|user=|lt-cred-mech|static-auth-secret)/.test(line))).toEqual(
      [],
    );
  });

  it('relays to nobody who is not named', () => {
    expect(settings).toContain('denied-peer-ip=0.0.0.0-255.255.255.255');
    expect(settings).toContain('denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
    expect(settings.filter((line) => line.startsWith('allow'))).toEqual([]);
  });

  it('offers TLS on the port of https', () => {
    expect(settings).toContain('tls-listening-port=443');
    expect(settings).toContain('no-cli');
  });
});
