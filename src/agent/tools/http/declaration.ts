/** HTTP tools as they are declared in configuration. config/trunkline.yaml explains each key. */
import { z } from 'zod';
import { messageOf } from '../../../base/errors.ts';
import { jsonSchemaArguments } from '../arguments.ts';
import { readPath } from './response-path.ts';
import { placesIn } from './template.ts';

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const headerName = z.string().regex(HEADER_NAME, 'must be the name of a header');
const headerValue = z.string().regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII');

/** Methods that may be repeated without harm (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

export const toolNameSchema = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'must be the name of a tool');

export const httpToolSchema = z
  .strictObject({
    name: toolNameSchema,
    description: z.string().min(1).max(1000),
    parameters: z
      .record(z.string(), z.unknown())
      .default({ type: 'object', properties: {}, additionalProperties: false }),
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
    url: z.string().regex(/^https?:\/\/[^/?#{}\s@]+([/?][^#\s]*)?$/, {
      error: 'must be http:// or https:// with a fixed host; arguments may stand in path and query',
    }),
    headers: z.record(headerName, headerValue).default({}),
    auth: z
      .strictObject({
        in: z.enum(['header', 'query']).default('header'),
        name: headerName.default('Authorization'),
        value: headerValue.min(1),
      })
      .optional(),
    body: z.unknown().optional(),
    timeout_ms: z.int().min(100).max(60_000).default(5000),
    retries: z.int().min(0).max(5).default(0),
    idempotent: z.boolean().optional(),
    response: z
      .record(
        z.string(),
        z.string().refine((path) => readPath(path) !== null, 'must be a path such as a.b[0].c'),
      )
      .default({}),
    errors: z.record(z.string().regex(/^[45]\d\d$/, 'must be a status'), z.string().min(1)).default({}),
    response_bytes_max: z.int().min(1024).max(16_777_216).default(262_144),
  })
  .superRefine((tool, context) => {
    const problem = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    try {
      jsonSchemaArguments(tool.parameters);
    } catch (failure) {
      problem('parameters', messageOf(failure));
    }
    const known = new Set(Object.keys(tool.parameters['properties'] ?? {}));
    for (const part of ['url', 'headers', 'body'] as const)
      for (const name of placesIn(tool[part]))
        if (!known.has(name)) problem(part, `{${name}} is not one of the parameters`);
    if (tool.body !== undefined && (tool.method === 'GET' || tool.method === 'HEAD'))
      problem('body', `${tool.method} has none`);
    if (tool.retries > 0 && !isIdempotent(tool))
      problem(
        'retries',
        `${tool.method} is repeated only with idempotent: true, for servers that know the key`,
      );
  });
export type HttpToolDeclaration = z.infer<typeof httpToolSchema>;

/** May it be sent twice? `idempotent: true` says that the server heeds the Idempotency-Key. */
export function isIdempotent(tool: { method: string; idempotent?: boolean | undefined }): boolean {
  return tool.idempotent ?? IDEMPOTENT.has(tool.method);
}
