/** An MCP server over standard input and output; it tells what it sees on standard error. */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { makeMcpServer } from './tools.ts';

const server = makeMcpServer((seen) => process.stderr.write(`${JSON.stringify(seen)}\n`));
await server.connect(new StdioServerTransport());
process.stderr.write(`started with ${process.env['MCP_TEST'] ?? 'nothing'}\n`);
