/** What an MCP server answers, as a model reads it. */
import type { ToolResult } from '../tool.ts';

interface Block {
  readonly type: string;
  readonly [field: string]: unknown;
}

const TROUBLE = 'That is not possible at the moment.';

/** Sound and pictures are named, not carried: a voice cannot use them. */
function textOf(block: Block): string {
  if (block.type === 'text' && typeof block['text'] === 'string') return block['text'];
  if (block.type === 'resource') {
    const { text, uri } = block['resource'] as { text?: unknown; uri?: unknown };
    return typeof text === 'string' ? text : `(${String(uri)})`;
  }
  if (block.type === 'resource_link') return `(${String(block['uri'])})`;
  return `(${block.type})`;
}

/** `isError` (a failure of the tool itself) becomes `ok: false`, its text the `problem` for the model. */
export function mcpResult(answer: Readonly<Record<string, unknown>>): ToolResult {
  const blocks = Array.isArray(answer['content']) ? (answer['content'] as Block[]) : [];
  const text = blocks.map(textOf).join('\n');
  if (answer['isError'] === true) return { ok: false, reason: TROUBLE, problem: text };
  const structured = answer['structuredContent'];
  if (typeof structured === 'object' && structured !== null) return { ok: true, result: structured };
  return { ok: true, text };
}

/** What a tool says whose server is not there. */
export function unavailable(server: string): ToolResult {
  return { ok: false, reason: TROUBLE, problem: `the server ${server} is not connected` };
}
