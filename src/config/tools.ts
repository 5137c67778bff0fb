/** The section `tools` of the configuration: limits, HTTP tools, MCP servers. */
import { z } from 'zod';
import { httpToolSchema } from '../agent/tools/http/declaration.ts';
import { mcpServerSchema } from '../agent/tools/mcp/declaration.ts';
import { AddressGuard } from '../base/addresses.ts';

const network = z.string().refine((text) => {
  try {
    return new AddressGuard([text]) instanceof AddressGuard;
  } catch {
    return false;
  }
}, 'must be an address or network such as 10.1.0.0/16');

function refuseRepeated(named: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  const names = named.map((one) => one.name);
  names.forEach((name, index) => {
    if (names.indexOf(name) < index)
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `"${name}" is used twice` });
  });
}

export const toolsSection = z.strictObject({
  under_way_max: z.int().min(1).max(32).default(4),
  result_chars_max: z.int().min(200).max(100_000).default(4000),
  networks: z.array(network).default([]),
  http: z.array(httpToolSchema).superRefine(refuseRepeated).default([]),
  mcp: z.array(mcpServerSchema).superRefine(refuseRepeated).default([]),
  mcp_patience_ms: z.int().min(0).max(60_000).default(3000),
});
