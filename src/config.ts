/**
 * The one reader of the environment and of config/trunkline.yaml. Strict: an unknown key, a bad value or a
 * missing profile stops the start with file, line, key and remedy.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineCounter, isNode, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { agentProfileSchema, type AgentProfile } from './agent/profile.ts';
import { TrunklineError, messageOf } from './base/errors.ts';
import { configSchema, type Config } from './config-schema.ts';

export type { Config, NumberConfig, TrunkConfig } from './config-schema.ts';

export const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/** Of this program, as package.json has it. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  return z.looseObject({ version: z.string() }).parse(manifest).version;
}

/** What the environment may say. Everything else is in the file. */
export interface Environment {
  /** TRUNKLINE_CONFIG: path of the configuration file. */
  readonly configFile: string;
  /** MEDIASOUP_WORKER_BIN: a worker binary of one's own. */
  readonly workerBinary: string | undefined;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export function readEnvironment(variables: Environment['variables'] = process.env): Environment {
  return {
    configFile: variables['TRUNKLINE_CONFIG'] ?? join(packageRoot, 'config', 'trunkline.yaml'),
    workerBinary: variables['MEDIASOUP_WORKER_BIN'],
    variables,
  };
}

export interface Settings {
  readonly config: Config;
  readonly profiles: ReadonlyMap<string, AgentProfile>;
  /** Absolute; created by whoever writes into it first. */
  readonly dataDir: string;
  readonly environment: Environment;
}

/**
 * Reads, checks and resolves the whole configuration.
 * @throws TrunklineError CONFIG_UNREADABLE, CONFIG_SYNTAX or CONFIG_INVALID
 */
export function loadSettings(environment: Environment): Settings {
  const file = resolve(environment.configFile);
  const config = parseYaml(file, configSchema, environment.variables);
  const beside = (path: string): string => (isAbsolute(path) ? path : resolve(packageRoot, path));
  const profiles = loadProfiles(beside(config.profiles_dir), environment.variables);
  const demand = (profile: string, key: string): void => {
    if (profiles.has(profile)) return;
    const known = [...profiles.keys()].join(', ');
    throw new TrunklineError(
      'CONFIG_INVALID',
      `${file}: ${key}: no profile "${profile}" in ${config.profiles_dir} (known: ${known})`,
    );
  };
  config.numbers.forEach((route, index) => demand(route.profile, `numbers[${index}].profile`));
  config.web.widget_keys.forEach((one, index) =>
    one.profiles.forEach((profile, place) => demand(profile, `web.widget_keys[${index}].profiles[${place}]`)),
  );
  return { config, profiles, dataDir: beside(config.data_dir), environment };
}

function loadProfiles(folder: string, variables: Environment['variables']): Map<string, AgentProfile> {
  const profiles = new Map<string, AgentProfile>();
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  } catch (error) {
    throw new TrunklineError('CONFIG_UNREADABLE', `${folder}: ${messageOf(error)}`, { cause: error });
  }
  for (const name of names.sort()) {
    const profile = parseYaml(join(folder, name), agentProfileSchema, variables);
    if (profiles.has(profile.name))
      throw new TrunklineError(
        'CONFIG_INVALID',
        `${join(folder, name)}: name: "${profile.name}" exists already`,
      );
    profiles.set(profile.name, profile);
  }
  return profiles;
}

/** Parses one YAML file against a schema; every problem of it is named at once, each with its line. */
export function parseYaml<S extends z.ZodType>(
  file: string,
  schema: S,
  variables: Environment['variables'],
): z.infer<S> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new TrunklineError('CONFIG_UNREADABLE', `${file}: ${messageOf(error)}`, { cause: error });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const { line, col } = lines.linePos(syntax.pos[0]);
    throw new TrunklineError(
      'CONFIG_SYNTAX',
      `${file}:${line}:${col}: ${syntax.message.split('\n')[0] ?? ''}`,
    );
  }
  const value = withVariables(plainValue(file, document) ?? {}, variables, file);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => describe(issue, { file, document, lines }));
  throw new TrunklineError('CONFIG_INVALID', problems.join('; '));
}

/** Follows aliases: one without an anchor, or so many that the value would explode, is met only here. */
function plainValue(file: string, document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new TrunklineError('CONFIG_SYNTAX', `${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** Replaces `${env:NAME}` in any string, so that secrets stay out of the file. */
function withVariables(value: unknown, variables: Environment['variables'], file: string): unknown {
  if (typeof value === 'string')
    return value.replace(/\$\{env:([A-Z][A-Z0-9_]*)\}/g, (_whole, name: string) => {
      const found = variables[name];
      if (found === undefined)
        throw new TrunklineError('CONFIG_INVALID', `${file}: the environment variable ${name} is not set`);
      return found;
    });
  if (Array.isArray(value)) return value.map((one) => withVariables(one, variables, file));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, withVariables(one, variables, file)]),
    );
  return value;
}

interface Source {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

function describe(issue: z.core.$ZodIssue, source: Source): string {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? step.toString() : step));
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => {
      const hint = nearest(key, KNOWN_KEYS);
      const remedy = hint === undefined ? 'remove it' : `did you mean "${hint}"?`;
      return `${position(source, [...path, key])} unknown key "${keyName([...path, key])}": ${remedy}`;
    });
    return keys.join('; ');
  }
  return `${position(source, path)} ${keyName(path)}: ${issue.message}`;
}

/** `file:line:` of a key, or of the nearest parent that the file has. */
function position({ file, document, lines }: Source, path: (string | number)[]): string {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return `${file}:${lines.linePos(node.range[0]).line}:`;
  }
  return `${file}:`;
}

function keyName(path: (string | number)[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
  return steps.join('').replace(/^\./, '') || 'the file';
}

const KNOWN_KEYS: readonly string[] = collectKeys([configSchema, agentProfileSchema]);

/** Every key name of the schemas, for the "did you mean" of a typo. */
function collectKeys(schemas: z.ZodType[]): string[] {
  const text = JSON.stringify(
    schemas.map((schema) => schema.toJSONSchema({ io: 'input', unrepresentable: 'any' })),
  );
  const keys = new Set<string>();
  JSON.parse(text, function (this: unknown, key, value: unknown) {
    if (key === 'properties' && typeof value === 'object' && value !== null)
      for (const name of Object.keys(value)) keys.add(name);
    return value;
  });
  return [...keys];
}

/** The known word within an edit distance of a third of its length, or none. */
function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
