/** Whether what the pages write can be read: contrast of their colours by WCAG 2.2. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../tidy/files.ts';

const css = readFileSync(join(ROOT, 'console', 'kit', 'theme.css'), 'utf8');
const [light = '', dark = ''] = [...css.matchAll(/:root \{([^}]*)\}/g)].map((match) => match[1] ?? '');

function colour(block: string, name: string): string {
  const found = new RegExp(`--${name}: #([0-9a-f]{6});`).exec(block)?.[1];
  if (found === undefined) throw new Error(`no colour ${name}`);
  return found;
}

/** Relative luminance of WCAG 2.2. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(block: string, front: string, back: string): number {
  const pair = [luminance(colour(block, front)), luminance(colour(block, back))];
  return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}

describe.each([
  ['by day', light],
  ['by night', dark],
])('the theme %s', (_name, block) => {
  it.each([
    ['text', 'page'],
    ['text', 'surface'],
    ['text', 'sunken'],
    ['text', 'accent-soft'],
    ['muted', 'page'],
    ['muted', 'surface'],
    ['muted', 'sunken'],
    ['accent', 'surface'],
    ['on-accent', 'accent'],
    ['surface', 'danger'],
    ['danger', 'danger-soft'],
    ['warning-text', 'warning-soft'],
  ])('shows %s on %s well enough to read (4.5 to 1)', (front, back) => {
    expect(contrast(block, front, back)).toBeGreaterThanOrEqual(4.5);
  });

  it('shows the focus ring on every ground (3 to 1)', () => {
    for (const back of ['page', 'surface', 'sunken'])
      expect(contrast(block, 'accent', back)).toBeGreaterThanOrEqual(3);
  });
});

describe('the measure', () => {
  it('is that of WCAG', () => {
    expect(contrast('--black: #000000; --white: #ffffff;', 'black', 'white')).toBeCloseTo(21);
    expect(contrast('--grey: #777777; --white: #ffffff;', 'grey', 'white')).toBeCloseTo(4.48, 2);
  });
});
