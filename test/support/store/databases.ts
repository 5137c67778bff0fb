/** The two kinds of database that the store runs on: the embedded one, and a server of Debian's Postgres. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { childrenOf } from '../../../bench/process-usage.ts';
import { embeddedUrl, socketFolder } from '../../../src/store/embedded.ts';
import { Store } from '../../../src/store/store.ts';

export const DATABASES = ['PGlite', 'Postgres'] as const;
export type DatabaseKind = (typeof DATABASES)[number];

export interface TestDatabase {
  readonly url: string;
  readonly process: ChildProcess;
  /** SIGKILL, of its processes too, and a new one on the same files. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

export const silent = pino({ level: 'silent' });

export function openStore(url: string, options: { timeoutMs?: number; connectionsMax?: number } = {}): Store {
  return Store.open({ url, connectionsMax: 10, timeoutMs: 20_000, log: silent, ...options });
}

/** An empty database of its own, in a process of its own. */
export async function startDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-store-'));
  const make = kind === 'PGlite' ? await preparePglite(folder) : await preparePostgres(folder);
  let child = await make.start();
  return {
    url: make.url,
    get process() {
      return child;
    },
    kill: async () => {
      const own = childrenOf(child.pid ?? 0, '');
      await ended(child, 'SIGKILL');
      for (const pid of own) killIfThere(pid);
      await make.clear();
    },
    restart: async () => {
      child = await make.start();
    },
    close: async () => {
      await ended(child, make.stopSignal);
      await make.clear();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Those that noticed the end of their server first are gone. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Preparation {
  readonly url: string;
  readonly stopSignal: NodeJS.Signals;
  readonly start: () => Promise<ChildProcess>;
  readonly clear: () => Promise<void>;
}

async function preparePglite(folder: string): Promise<Preparation> {
  await copyPglite(folder);
  const sockets = await socketFolder(folder);
  return {
    url: embeddedUrl(sockets),
    stopSignal: 'SIGTERM',
    start: () =>
      up(
        spawn(process.execPath, ['src/store/pglite-process.ts', folder], {
          stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        }),
        'message',
      ),
    clear: () => rm(sockets, { recursive: true, force: true }),
  };
}

/**
 * A cluster takes seconds to make and a moment to copy: it is made once per machine and release, by whoever
 * is first.
 */
async function fromTemplate(
  name: string,
  target: string,
  make: (template: string) => Promise<void>,
): Promise<void> {
  const template = join(tmpdir(), `trunkline-template-${userInfo().uid}-${name}`);
  if (!existsSync(template)) {
    const own = `${template}-${process.pid}-${randomUUID()}`;
    await make(own);
    // Somebody else's may be in place by now: it is as good.
    await rename(own, template).catch(() => rm(own, { recursive: true, force: true }));
  }
  await cp(template, target, { recursive: true, preserveTimestamps: true });
}

/** An empty embedded database in a data folder, without the seconds that making one takes. */
export function copyPglite(dataDir: string): Promise<void> {
  return fromTemplate(`pglite-${pgliteVersion()}`, join(dataDir, 'postgres'), async (template) => {
    const { PGlite } = await import('@electric-sql/pglite');
    const db = await PGlite.create({ dataDir: template });
    await db.close();
  });
}

function pgliteVersion(): string {
  const file = new URL('../../../node_modules/@electric-sql/pglite/package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Debian's server refuses to run as root: it gets a user of its own. */
function postgresUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [, , uid, gid] = /^postgres:.*$/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[0].split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error('there is no user postgres');
  return { uid: Number(uid), gid: Number(gid) };
}

function binary(name: string): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root)
    ? readdirSync(root).sort((one, other) => Number(other) - Number(one))
    : [];
  const [version] = versions;
  if (version === undefined) throw new Error('postgresql is not installed: npm run setup');
  return join(root, version, 'bin', name);
}

async function preparePostgres(folder: string): Promise<Preparation> {
  const user = postgresUser();
  const [data, sockets] = [join(folder, 'data'), join(folder, 'socket')];
  await chmod(folder, 0o755);
  for (const one of [data, sockets]) {
    await mkdir(one);
    if (user !== undefined) await chown(one, user.uid, user.gid);
  }
  const options = { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], ...user };
  const init = ['-D', data, '-U', 'postgres', '-A', 'trust', '-N', '-E', 'UTF8', '--no-instructions'];
  const made = spawn(binary('initdb'), init, options);
  made.stdout.resume();
  let words = '';
  made.stderr.on('data', (bytes: Buffer) => (words += String(bytes)));
  const [code] = (await once(made, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`initdb failed:\n${words}`);
  await writeFile(join(data, 'postgresql.auto.conf'), `unix_socket_directories = '${sockets}'\n`);
  return {
    url: `socket://postgres@${sockets}?db=postgres`,
    // Fast shutdown: clients are sent away.
    stopSignal: 'SIGINT',
    start: async () => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await up(spawn(binary('postgres'), ['-D', data, '-h', ''], options), /ready to accept conn/);
        } catch (error) {
          // Backends of a server that was killed hold its memory until they have noticed.
          if (tries > 200 || !/shared memory|lock file/.test(String(error))) throw error;
        }
      }
    },
    clear: () => Promise.resolve(),
  };
}

async function up(child: ChildProcess, sign: 'message' | RegExp): Promise<ChildProcess> {
  let words = '';
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const read = (bytes: Buffer): void => {
    words += String(bytes);
    if (sign instanceof RegExp && sign.test(words)) resolve(undefined);
  };
  child.stdout?.on('data', read);
  child.stderr?.on('data', read);
  child.once('message', () => resolve(undefined));
  child.once('exit', (code) => reject(new Error(`the database did not start (${code}):\n${words}`)));
  await promise;
  return child;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}
