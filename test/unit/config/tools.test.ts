/** The section `tools`: what it takes, what it fills in, and that it names what is wrong. */
import { describe, expect, it } from 'vitest';
import { toolsSection } from '../../../src/config/tools.ts';

const shop = { name: 'shop', description: 'Asks the shop.', url: 'https://shop.test/orders' };
const crm = { name: 'crm', command: 'node' };

/** `path: message` of everything that is wrong. */
function refusals(given: unknown): string[] {
  const { error } = toolsSection.safeParse(given);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the section tools', () => {
  it('needs nothing', () => {
    expect(toolsSection.parse({})).toEqual({
      under_way_max: 4,
      result_chars_max: 4000,
      networks: [],
      http: [],
      mcp: [],
      mcp_patience_ms: 3000,
    });
  });

  it('fills in what a tool does not say', () => {
    const { http, mcp } = toolsSection.parse({ http: [shop], mcp: [crm], networks: ['10.0.0.0/8', '::1'] });
    expect(http).toMatchObject([
      {
        method: 'GET',
        parameters: { type: 'object', additionalProperties: false },
        headers: {},
        timeout_ms: 5000,
        retries: 0,
        response: {},
        response_bytes_max: 262_144,
      },
    ]);
    expect(mcp).toEqual([{ ...crm, args: [], env: {}, headers: {}, tools: ['*'], timeout_ms: 10_000 }]);
  });

  it.each([
    [{ under_way_max: 0 }, 'under_way_max: '],
    [{ result_chars_max: 199 }, 'result_chars_max: '],
    [{ networks: ['10.0.0.0/33'] }, 'networks.0: must be an address or network'],
    [{ networks: ['intranet'] }, 'networks.0: must be an address or network'],
    [{ http: [shop, shop] }, 'http.1.name: "shop" is used twice'],
    [{ http: [{ ...shop, url: 'ftp://shop.test/' }] }, 'http.0.url: must be http:// or https://'],
    [{ http: [{ ...shop, url: 'https://shop.test/{id}' }] }, 'http.0.url: {id} is not one'],
    [{ http: [{ ...shop, method: 'POST', retries: 2 }] }, 'http.0.retries: POST is repeated only'],
    [{ mcp: [crm, crm] }, 'mcp.1.name: "crm" is used twice'],
    [{ mcp: [{ name: 'crm' }] }, 'mcp.0: needs either command'],
    [{ mcp_patience_ms: 60_001 }, 'mcp_patience_ms: '],
    [{ more: 1 }, ': Unrecognized key'],
  ])('names what is wrong: %j', (given, problem) => {
    expect(refusals(given)).toEqual([expect.stringContaining(problem) as string]);
  });
});
