import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STAND_INS } from '../../../scripts/mediasoup-worker/build.mjs';
import { ROOT } from '../../tidy/files.ts';

// The stand-ins answer what the worker's sources ask for. These
// checks need no compiler: they tell at once when a
// new mediasoup asks for more, instead of a build that fails after minutes on somebody else's machine.

const WORKER = join(ROOT, 'node_modules', 'mediasoup', 'worker');
const standIn = (...path: string[]): string => readFileSync(join(STAND_INS, ...path), 'utf8');

/** All text of the worker's C++ sources and headers. */
const sources = ['src', 'include']
  .flatMap((folder) => readdirSync(join(WORKER, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
  .join('\n');

function namesIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].sort();
}

describe('the stand-in for libsrtp 3', () => {
  const header = standIn('libsrtp3', 'include', 'srtp.h');
  const implementation = standIn('libsrtp3', 'srtp3-by-srtp2.c');

  it('has every call that the worker makes', () => {
    const called = namesIn(sources, /= (srtp_\w+)\(|^\s*(?:return )?(?=srtp_)(srtp_\w+)\(/gm);
    const renamed = namesIn(header, /^#define (srtp_\w+) srtp3_/gm);
    expect(called).toContain('srtp_protect');
    expect(called.filter((name) => name !== '' && !renamed.includes(name))).toEqual([]);
  });

  it('has every status, profile, SSRC type and event that the worker names', () => {
    const used = namesIn(
      sources,
      /\b((?:srtp_err_status|srtp_profile|ssrc_any|event_key|event_ssrc)_\w+)\b/g,
    );
    const declared = new Set(namesIn(header, /\b(\w+)\b/g));
    expect(used).toContain('srtp_err_status_ok');
    // Calls that begin like a profile are covered above.
    expect(used.filter((name) => !declared.has(name))).toEqual([]);
  });

  it('implements every call that it declares', () => {
    const declared = namesIn(header, /^#define srtp_\w+ (srtp3_\w+)$/gm);
    const implemented = namesIn(implementation, /^(?:\w+ |const char\* )(srtp3_\w+)\(/gm);
    expect(implemented).toEqual(declared);
  });
});

describe('the stand-in for unordered_dense', () => {
  it('has every name that the worker uses of it', () => {
    const used = namesIn(sources, /ankerl::unordered_dense::(\w+)/g);
    const header = standIn('unordered-dense', 'include', 'ankerl', 'unordered_dense.h');
    expect(used).toEqual(['hash', 'map', 'set']);
    for (const name of used) expect(header).toMatch(new RegExp(`(using|struct) ${name}\\b`));
  });
});

describe('the subprojects', () => {
  const meson = readFileSync(join(WORKER, 'meson.build'), 'utf8');

  it('offer every variable that the worker takes from them', () => {
    const asked = [...meson.matchAll(/(\w+)_proj\.get_variable\('(\w+)'\)/g)];
    const folders: Record<string, string> = { abseil_cpp: 'abseil-cpp' };
    const ours = asked.filter(([, project]) => project !== 'catch2' && project !== 'wingetopt');
    expect(ours.length).toBeGreaterThan(8);
    for (const [, project = '', variable = ''] of ours) {
      const recipe = standIn(folders[project] ?? project, 'meson.build');
      expect(recipe, `${project} has ${variable}`).toMatch(new RegExp(`^${variable} = `, 'm'));
    }
  });
});
