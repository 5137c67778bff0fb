/**
 * What a call was about, in a few lines that a person reads in a CRM: who, what was wanted, what was done,
 * how it ended. Extractive: every word of it was said on the call or stands in a tool's result, so that
 * nothing is invented and the same call always gives the same summary.
 */

export interface SummaryTurn {
  readonly who: 'caller' | 'agent';
  readonly text: string;
}

export interface SummaryTool {
  readonly name: string;
  readonly arguments: unknown;
  readonly result: unknown;
}

export interface CallForSummary {
  /** E.164 or empty when withheld. */
  readonly from: string;
  readonly profile: string;
  readonly durationMs: number;
  /** The ending's words for people: `The caller hung up`. */
  readonly endingText: string;
  readonly turns: readonly SummaryTurn[];
  readonly tools: readonly SummaryTool[];
}

export interface CallSummary {
  /** One line, without personal data beyond the name. */
  readonly title: string;
  readonly text: string;
  /** As the caller gave it to a tool. */
  readonly callerName?: string;
}

const quote_characters_max = 200;
const detail_characters_max = 80;
const details_max = 6;
/** A greeting says nothing; what is wanted takes a few words. */
const WORDS_OF_A_WISH = 3;
const NAME_KEYS = ['name', 'caller_name', 'customer_name', 'full_name'];

export function summarise(call: CallForSummary): CallSummary {
  const name = callerName(call.tools);
  const wish = wishOf(call.turns);
  const done = call.tools.filter((tool) => isSuccess(tool.result));
  const caller = [name, call.from].filter((part) => part !== undefined && part !== '').join(', ');
  const lines = [
    `Caller: ${caller || 'number withheld'}`,
    ...(wish === undefined ? [] : [`Wanted: "${shorten(wish, quote_characters_max)}"`]),
    ...call.tools.map(toolLine),
    `Ended: ${call.endingText} after ${spokenDuration(call.durationMs)}; ${countTurns(call.turns)}.`,
  ];
  const deeds = [...new Set(done.map((tool) => wordsOf(tool.name)))].join(', ');
  return {
    title: `Call to ${call.profile}${deeds === '' ? '' : `: ${deeds}`}`,
    text: lines.join('\n'),
    ...(name === undefined ? {} : { callerName: name }),
  };
}

function callerName(tools: readonly SummaryTool[]): string | undefined {
  // What was agreed last is right: callers correct the spelling of their names.
  for (const tool of tools.toReversed()) {
    const given = recordOf(tool.arguments);
    const name = NAME_KEYS.map((key) => given[key]).find((value) => typeof value === 'string');
    if (typeof name === 'string' && name.trim() !== '') return name.trim();
  }
  return undefined;
}

/** The caller's first real sentence; the longest one when all are short. */
function wishOf(turns: readonly SummaryTurn[]): string | undefined {
  const said = turns.filter((turn) => turn.who === 'caller').map((turn) => turn.text.trim());
  const words = (text: string): number => text.split(/\s+/).length;
  const wish = said.find((text) => words(text) >= WORDS_OF_A_WISH);
  return wish ?? said.toSorted((a, b) => words(b) - words(a))[0];
}

function toolLine(tool: SummaryTool): string {
  const result = recordOf(tool.result);
  const outcome = isSuccess(tool.result)
    ? detailsOf({ ...recordOf(tool.arguments), ...result })
    : shorten(textOf(result['reason'] ?? 'failed'), quote_characters_max);
  const verb = isSuccess(tool.result) ? 'Done' : 'Not done';
  return `${verb}: ${wordsOf(tool.name)}${outcome === '' ? '' : ` (${outcome})`}`;
}

function detailsOf(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .filter(([key, value]) => key !== 'ok' && ['string', 'number'].includes(typeof value))
    .slice(0, details_max)
    .map(([key, value]) => `${wordsOf(key)} ${shorten(textOf(value), detail_characters_max)}`)
    .join(', ');
}

function isSuccess(result: unknown): boolean {
  return recordOf(result)['ok'] === true;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function wordsOf(name: string): string {
  return name.replaceAll('_', ' ');
}

function shorten(text: string, charactersMax: number): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  const characters = Array.from(flat);
  return characters.length <= charactersMax ? flat : `${characters.slice(0, charactersMax - 1).join('')}…`;
}

function spokenDuration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function countTurns(turns: readonly SummaryTurn[]): string {
  const count = (who: SummaryTurn['who']): number => turns.filter((turn) => turn.who === who).length;
  return `the caller spoke ${count('caller')} times, the agent ${count('agent')}`;
}
