/** A real CalDAV server: Debian's radicale as a child on a free port, with one user and one calendar. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeTcpPort } from '../baresip.ts';
import { until } from '../until.ts';

export interface Radicale {
  /** Of the calendar, with a slash at its end. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Names of the objects in the calendar. */
  names(): Promise<string[]>;
  /** Stores an object as another program would. */
  put(name: string, text: string): Promise<void>;
  close(): Promise<void>;
}

const USER = { username: 'clinic', password: 'secret' };
const start_patience_ms = 30_000;

export async function startRadicale(): Promise<Radicale> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-radicale-'));
  const port = await freeTcpPort();
  await writeFile(join(folder, 'users'), `${USER.username}:${USER.password}\n`);
  await writeFile(
    join(folder, 'config'),
    [
      `[server]\nhosts = 127.0.0.1:${port}\nmax_connections = 50`,
      '[auth]\ntype = htpasswd\nhtpasswd_encryption = plain\ndelay = 0',
      `htpasswd_filename = ${join(folder, 'users')}`,
      '[rights]\ntype = owner_only',
      `[storage]\nfilesystem_folder = ${join(folder, 'collections')}`,
      '[logging]\nlevel = warning\n',
    ].join('\n'),
  );
  const child = spawn('radicale', ['--config', join(folder, 'config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const url = `http://127.0.0.1:${port}/${USER.username}/appointments/`;
  const authorization = `Basic ${btoa(`${USER.username}:${USER.password}`)}`;
  const ask = (method: string, address: string, body?: string): Promise<Response> =>
    fetch(address, {
      method,
      headers: { authorization, 'content-type': 'text/calendar', depth: '1' },
      ...(body === undefined ? {} : { body }),
    });
  try {
    await answering(
      `http://127.0.0.1:${port}/`,
      () => child.exitCode !== null,
      () => said,
    );
    const made = await ask('MKCALENDAR', url);
    if (made.status !== 201) throw new Error(`MKCALENDAR answers ${made.status}: ${said}`);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    url,
    ...USER,
    names: async () => {
      const listed = await (await ask('PROPFIND', url)).text();
      return [...listed.matchAll(/\/([^/<>]+\.ics)</g)].map((match) => match[1] ?? '');
    },
    put: async (name, text) => {
      const answer = await ask('PUT', `${url}${name}`, text);
      if (!answer.ok) throw new Error(`PUT answers ${answer.status}`);
    },
    close: async () => {
      child.kill('SIGTERM');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answering(url: string, isGone: () => boolean, said: () => string): Promise<void> {
  let isUp = false;
  const look = (): void => {
    fetch(url).then(
      () => (isUp = true),
      () => (isGone() || isUp ? undefined : setImmediate(look)),
    );
  };
  look();
  await until('radicale answers', () => isUp || isGone(), start_patience_ms);
  if (isGone()) throw new Error(`radicale ended: ${said()}`);
}
