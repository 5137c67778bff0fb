/** What the MCP servers of the tests can do; made with the server side of the protocol's own package. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';

export interface ServedCall {
  readonly name: string;
  readonly given: unknown;
  readonly meta: unknown;
}

/** `told`: every call, as it comes in, and every one that was cancelled. */
export function makeMcpServer(told: (call: ServedCall | { cancelled: string }) => void): McpServer {
  const server = new McpServer({ name: 'test', version: '1.0.0' });
  const text = (words: string): { content: { type: 'text'; text: string }[] } => ({
    content: [{ type: 'text', text: words }],
  });
  server.registerTool(
    'echo',
    { description: 'Says it back', inputSchema: { words: z.string() } },
    ({ words }, { _meta }) => {
      told({ name: 'echo', given: { words }, meta: _meta });
      return text(words);
    },
  );
  server.registerTool('refuse', { description: 'Never works' }, () => ({
    ...text('the shop is closed'),
    isError: true,
  }));
  server.registerTool(
    'structured',
    { description: 'Answers in fields', outputSchema: { price: z.number() } },
    () => ({ ...text('seven'), structuredContent: { price: 7 } }),
  );
  server.registerTool('picture', { description: 'Answers with more than text' }, () => ({
    content: [
      { type: 'text', text: 'look:' },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      { type: 'resource', resource: { uri: 'file:///a.txt', text: 'inside' } },
    ],
  }));
  server.registerTool('hang', { description: 'Answers never' }, (_extra) => {
    told({ name: 'hang', given: {}, meta: undefined });
    return new Promise((_resolve, reject) => {
      _extra.signal.addEventListener('abort', () => {
        told({ cancelled: 'hang' });
        reject(new Error('cancelled'));
      });
    });
  });
  server.registerTool('die', { description: 'Ends the program' }, () => process.exit(3));
  server.registerTool('grow', { description: 'Adds a tool' }, () => {
    server.registerTool('grown', { description: 'Was not there before' }, () => text('here I am'));
    return text('grown');
  });
  return server;
}
