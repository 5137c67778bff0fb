/** MCP servers as they are declared in configuration. config/trunkline.yaml explains each key. */
import { z } from 'zod';

export const mcpServerSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, 'must be lower case letters, digits, - and _'),
    command: z.string().min(1).optional(),
    args: z.array(z.string()).default([]),
    env: z.record(z.string(), z.string()).default({}),
    url: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' }).optional(),
    headers: z.record(z.string(), z.string()).default({}),
    prefix: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/, 'must begin with a letter; then letters, digits, - and _')
      .optional(),
    tools: z.array(z.string().min(1)).default(['*']),
    timeout_ms: z.int().min(100).max(120_000).default(10_000),
  })
  .superRefine((server, context) => {
    if ((server.command === undefined) === (server.url === undefined))
      context.addIssue({ code: 'custom', message: 'needs either command (a program) or url' });
  });
export type McpServerDeclaration = z.infer<typeof mcpServerSchema>;

/** What stands before the names of a server's tools. */
export function prefixOf({ name, prefix }: Pick<McpServerDeclaration, 'name' | 'prefix'>): string {
  return prefix ?? `${name}_`;
}
