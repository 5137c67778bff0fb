import { posix } from 'node:path';
import { isCode, nameOf, type TextFile, type Violation } from './files.ts';
import { importsOf } from './syntax.ts';

/**
 * Who may import whom: `base < media < room < {phone, web, agent} < gateway < main`, and
 * `base < store < jobs < worker`. A part may always import itself. Bridges: agent -> jobs, web -> store.
 */
export const IMPORT_TABLE: Readonly<Record<string, readonly string[]>> = {
  base: [],
  media: ['base'],
  room: ['base', 'media'],
  // Counts of what tenants may have, behind the interface that the doors ask.
  limits: ['base', 'room'],
  phone: ['base', 'media', 'room'],
  web: ['base', 'media', 'room', 'store'],
  agent: ['base', 'media', 'room', 'jobs'],
  store: ['base'],
  jobs: ['base', 'store'],
  'sip-server': ['base'],
  config: ['base', 'agent'],
  // Composition roots: they build the parts and introduce them.
  'media-thread': ['base', 'media', 'agent'],
  gateway: [
    ...['base', 'media', 'room', 'limits', 'phone', 'web', 'agent', 'jobs', 'store', 'config'],
    'sip-server',
  ],
  worker: ['base', 'store', 'jobs', 'config'],
  main: ['base', 'config', 'gateway'],
  // Runs in browsers: of the gateway it knows the words of the wire, and no more.
  widget: ['wire'],
  // The pages of operators and human agents: they talk over the widget's client and the HTTP API.
  console: ['wire', 'widget'],
};

/** Files at the top of src/ that belong to a part of another name. */
const PART_OF_FILE: Readonly<Record<string, string>> = { 'config-schema': 'config' };

/** The files that the gateway and browsers share. */
const WIRES = ['src/web/wire.ts', 'src/web/desk-wire.ts'];

/** Outside packages: where each may be imported, as a pattern of the importing file's path. */
export const PACKAGE_TABLE: Readonly<Record<string, RegExp>> = {
  mediasoup: /^src\/media\/sfu[^/]*\.ts$/,
  'drachtio-srf': /^src\/phone\//,
  'sdp-transform': /^src\/media\/sdp\.ts$/,
  pino: /^src\/base\/log\.ts$/,
  'sonic-boom': /^src\/base\/log\.ts$/,
  yaml: /^src\/(config|agent\/profiles?)\.ts$/,
  fastify: /^src\/web\//,
  '@fastify/static': /^src\/web\//,
  'socket.io': /^src\/web\//,
  jose: /^src\/web\//,
  koffi: /^src\/(agent\/|base\/native-library\.ts$)/,
  '@echogarden/fvad-wasm': /^src\/(media|agent)\//,
  '@echogarden/rnnoise-wasm': /^src\/agent\/models\/offline\//,
  openai: /^src\/agent\//,
  ws: /^src\/agent\//,
  zod: /^(src|console)\//,
  '@bull-board/api': /^src\/web\/board\//,
  '@bull-board/fastify': /^src\/web\/board\//,
  bullmq: /^src\/jobs\//,
  ioredis: /^src\/(store|jobs|limits)\//,
  'rate-limiter-flexible': /^src\/limits\//,
  kysely: /^src\/store\//,
  pg: /^src\/store\//,
  '@electric-sql/pglite': /^src\/store\//,
  standardwebhooks: /^src\/jobs\//,
  smpp: /^src\/jobs\//,
  tsdav: /^src\/jobs\//,
  'ical.js': /^src\/jobs\//,
  'prom-client': /^src\/base\//,
  '@opentelemetry/api': /^src\/base\//,
  '@opentelemetry/resources': /^src\/base\//,
  '@opentelemetry/sdk-trace-base': /^src\/base\//,
  '@opentelemetry/sdk-trace-node': /^src\/base\//,
  '@opentelemetry/exporter-trace-otlp-http': /^src\/base\//,
  '@fastify/swagger': /^src\/web\//,
  'fastify-type-provider-zod': /^src\/web\//,
  'libphonenumber-js': /^src\/base\//,
  '@modelcontextprotocol/sdk': /^src\/agent\/tools\//,
  ajv: /^src\/agent\/tools\//,
  undici: /^src\/(agent\/(tools|models)|jobs)\//,
  'ipaddr.js': /^src\/base\//,
  'mediasoup-client': /^widget\/client\//,
  'socket.io-client': /^widget\/client\//,
  react: /^console\//,
  'react-dom': /^console\//,
  '@tanstack/react-query': /^console\//,
  '@vitejs/plugin-react': /^console\/vite\.config\.ts$/,
  vite: /^(widget|console)\/vite\.config\.ts$/,
};

/** The part that a file belongs to; undefined for files that the table does not rule (tests, scripts). */
export function partOf(path: string): string | undefined {
  if (path.startsWith('sip/server/')) return 'sip-server';
  if (path.startsWith('widget/')) return 'widget';
  if (path.startsWith('console/')) return 'console';
  const match = /^src\/(?:([^/]+)\/|([^/]+)\.ts$)/.exec(path);
  const name = match?.[1] ?? match?.[2];
  return name === undefined ? undefined : (PART_OF_FILE[name] ?? name);
}

/**
 * Which folders of src/agent/models an adapter may import besides its own: never another's protocol. What
 * knows no protocol lies beside them and is everybody's.
 */
export const ADAPTER_TABLE: Readonly<Record<string, readonly string[]>> = {
  'voice-socket': [],
  realtime: ['voice-socket'],
  // Its own backend follows a profile's tasks by the rules of the offline dialog.
  live: ['voice-socket', 'offline'],
  pipeline: [],
  offline: [],
};

function adapterOf(path: string): string | undefined {
  return /^src\/agent\/models\/([^/]+)\//.exec(path)?.[1];
}

function checkAdapter(path: string, target: string): string | undefined {
  const [adapter, other] = [adapterOf(path), adapterOf(target)];
  if (adapter === undefined || other === undefined || adapter === other) return undefined;
  if (ADAPTER_TABLE[adapter]?.includes(other)) return undefined;
  return `${adapter} must not import ${other} (${nameOf(target)})`;
}

function checkOwn(part: string, target: string): string | undefined {
  const isShared = (part === 'widget' || part === 'console') && WIRES.includes(target);
  const targetPart = isShared ? 'wire' : partOf(target);
  if (targetPart === part) return undefined;
  if (targetPart === undefined) return `${part} must not import ${target}`;
  if (IMPORT_TABLE[part]?.includes(targetPart)) return undefined;
  return `${part} must not import ${targetPart} (${nameOf(target)})`;
}

function checkPackage(path: string, specifier: string): string | undefined {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const allowed = PACKAGE_TABLE[name];
  if (allowed === undefined) return `${name} has no row in the package table`;
  return allowed.test(path) ? undefined : `${name} must not be imported here`;
}

/** Imports of src/, sip/server/ and widget/ that go against the tables. */
export function checkImports(files: readonly TextFile[]): Violation[] {
  return files.filter(isCode).flatMap((file) => {
    const part = partOf(file.path);
    if (part === undefined) return [];
    if (IMPORT_TABLE[part] === undefined) return [`${file.path}:1 ${part} has no row in the import table`];
    return importsOf(file).flatMap(({ from, line }) => {
      if (from.startsWith('node:')) return [];
      const target = posix.join(posix.dirname(file.path), from);
      const wrong = from.startsWith('.')
        ? (checkOwn(part, target) ?? checkAdapter(file.path, target))
        : checkPackage(file.path, from);
      return wrong === undefined ? [] : [`${file.path}:${line} ${wrong}`];
    });
  });
}
