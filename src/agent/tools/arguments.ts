/** The shape of a tool's arguments: a zod schema of ours, or a JSON Schema that came with the tool. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { messageOf, TrunklineError } from '../../base/errors.ts';

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export interface ArgumentsShape<T = unknown> {
  /** JSON Schema (draft 2020-12) of an object, as models are told it. */
  readonly jsonSchema: Record<string, unknown>;
  /** Never throws. The problem names the argument, never its value. */
  read(given: unknown): Parsed<T>;
}

/** Longest JSON Schema that is taken from outside, in characters. */
const SCHEMA_CHARS_MAX = 50_000;
/** Problems named at once. */
const PROBLEMS_MAX = 5;

function zodShape<T>(schema: z.ZodType<T>): ArgumentsShape<T> {
  return {
    jsonSchema: z.toJSONSchema(schema, { io: 'input' }),
    read(given) {
      const parsed = schema.safeParse(given);
      return parsed.success
        ? { ok: true, value: parsed.data }
        : { ok: false, problem: z.prettifyError(parsed.error) };
    },
  };
}

/**
 * Arguments by a JSON Schema that was declared outside, in YAML or by an MCP server.
 * @throws TrunklineError TOOL_SCHEMA_INVALID when it is none, is no object's, or refers to another document
 */
export function jsonSchemaArguments(
  schema: Readonly<Record<string, unknown>>,
): ArgumentsShape<Readonly<Record<string, unknown>>> {
  if (JSON.stringify(schema).length > SCHEMA_CHARS_MAX)
    throw new TrunklineError('TOOL_SCHEMA_INVALID', `longer than ${SCHEMA_CHARS_MAX} characters`);
  if (schema['type'] !== 'object')
    throw new TrunklineError('TOOL_SCHEMA_INVALID', 'arguments must be of type object');
  // Keywords and formats that we do not know are no reason to refuse a tool: its server checks, too.
  // Each schema gets a validator of its own, so that equal `$id`s of two servers do not collide.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  let validate: ReturnType<Ajv2020['compile']>;
  try {
    validate = ajv.compile(withoutDialect(schema));
  } catch (failure) {
    throw new TrunklineError('TOOL_SCHEMA_INVALID', messageOf(failure), { cause: failure });
  }
  return {
    jsonSchema: { ...schema },
    read(given) {
      if (validate(given)) return { ok: true, value: given as Readonly<Record<string, unknown>> };
      const problems = (validate.errors ?? []).slice(0, PROBLEMS_MAX).map(problemOf);
      return { ok: false, problem: problems.join('; ') };
    },
  };
}

type Problem = NonNullable<ReturnType<Ajv2020['compile']>['errors']>[number];

function problemOf({ instancePath, message, params }: Problem): string {
  const extra: unknown = (params as Record<string, unknown>)['additionalProperty'];
  const name = typeof extra === 'string' ? ` ("${extra}")` : '';
  return `${instancePath === '' ? 'the arguments' : instancePath.slice(1)} ${message ?? 'do not fit'}${name}`;
}

/** Schemas of older drafts are near enough for arguments; the validator would refuse their name. */
function withoutDialect(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema'));
}

/** One shape for both kinds. */
export function shapeOf<T>(given: z.ZodType<T> | ArgumentsShape<T>): ArgumentsShape<T> {
  return 'jsonSchema' in given ? given : zodShape(given);
}
