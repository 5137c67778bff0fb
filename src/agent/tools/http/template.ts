/** Templates of HTTP tools: `{name}` stands for an argument. */
import { TrunklineError } from '../../../base/errors.ts';

export type Given = Readonly<Record<string, unknown>>;

const PLACE = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Names of all placeholders in a template, wherever they are in it. */
export function placesIn(template: unknown): string[] {
  if (typeof template === 'string') return [...template.matchAll(PLACE)].map((match) => match[1] ?? '');
  if (Array.isArray(template)) return template.flatMap(placesIn);
  if (typeof template === 'object' && template !== null) return Object.values(template).flatMap(placesIn);
  return [];
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function fillText(
  template: string,
  given: Given,
  write: (text: string) => string = (text) => text,
): string {
  return template.replace(PLACE, (_, name: string) => write(textOf(given[name])));
}

/**
 * The address with its arguments, each escaped: none can add a part to the path, a question mark or a host.
 * @throws TrunklineError TOOL_ARGUMENTS_INVALID for one that would step up in the path (`..`)
 */
export function fillUrl(template: string, given: Given): URL {
  const filled = fillText(template, given, encodeURIComponent);
  const [path = ''] = filled.split(/[?#]/, 1);
  // Dots need no escaping and cannot be escaped: a URL parser takes %2e for one, too.
  if (path.split('/').some((part) => /^(\.|%2e){1,2}$/i.test(part)))
    throw new TrunklineError('TOOL_ARGUMENTS_INVALID', 'an argument would change the path');
  return new URL(filled);
}

/**
 * The body with its arguments. A text that is one placeholder and nothing else becomes the argument itself,
 * a number stays a number; what was not given is left out.
 */
export function fillBody(template: unknown, given: Given): unknown {
  if (typeof template === 'string') {
    const [whole, name = ''] = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(template) ?? [];
    return whole === undefined ? fillText(template, given) : given[name];
  }
  if (Array.isArray(template))
    return template.map((one) => fillBody(one, given)).filter((one) => one !== undefined);
  if (typeof template !== 'object' || template === null) return template;
  const entries = Object.entries(template).map(([key, one]) => [key, fillBody(one, given)] as const);
  return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
}
