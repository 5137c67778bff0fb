/** Child processes of the bench: started, waited for, and ended one by one. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { answerSchema, type Answer, type CallersOptions, type Order } from './messages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const start_ms_max = 60_000;
const stop_ms_max = 20_000;

export interface Child {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Ends it with SIGTERM, and when that does not help in good time, with SIGKILL. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), stop_ms_max);
  child.kill('SIGTERM');
  await gone;
  clearTimeout(timer);
}

export interface NodeChildOptions {
  /** Path of the program within the project, and its arguments; Node's own come first. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Ready when this has been printed, on standard output or standard error. */
  readonly ready: RegExp;
  /** Opens a channel, for programs that answer each order with one message. */
  readonly answers?: boolean;
}

export interface NodeChild extends Child {
  /** What it printed until it was ready. */
  readonly words: string;
  /** @throws Error when the process is gone */
  ask(order: object): Promise<unknown>;
}

/** @throws Error with what it printed when it does not get ready */
export async function startNode(options: NodeChildOptions): Promise<NodeChild> {
  const child = spawn(process.execPath, options.args, {
    cwd: root,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', ...(options.answers === true ? (['ipc'] as const) : [])],
  });
  let printed = '';
  const ready = await new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), start_ms_max);
    const done = (words: string | undefined): void => {
      clearTimeout(timer);
      resolve(words);
    };
    const read = (bytes: Buffer): void => {
      // Once it is ready its output is only drained.
      if (options.ready.test(printed)) return;
      printed += bytes.toString();
      if (options.ready.test(printed)) done(printed);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => done(undefined));
    child.once('error', () => done(undefined));
  });
  if (ready === undefined || child.pid === undefined) {
    await stop(child);
    throw new Error(`${options.args.join(' ')} did not get ready:\n${printed.slice(-4000)}`);
  }
  return { pid: child.pid, words: ready, ask: (order) => ask(child, order), stop: () => stop(child) };
}

async function ask(child: ChildProcess, order: object): Promise<unknown> {
  const stopWaiting = new AbortController();
  const { signal } = stopWaiting;
  const gone = once(child, 'exit', { signal }).then(() => {
    throw new Error('the process is gone');
  });
  const answer = once(child, 'message', { signal }).then(([message]) => message as unknown);
  child.send(order);
  try {
    return await Promise.race([answer, gone]);
  } finally {
    gone.catch(() => undefined);
    answer.catch(() => undefined);
    stopWaiting.abort();
  }
}

export interface CallersChild extends Child {
  /**
   * Gives an order and waits for its answer, the next of that type. @throws Error when the process is gone
   */
  ask<T extends Answer['type']>(order: Order, type: T): Promise<Extract<Answer, { type: T }>>;
  tell(order: Order): void;
}

export function startCallers(options: CallersOptions): CallersChild {
  const child = fork(fileURLToPath(new URL('callers.ts', import.meta.url)), [JSON.stringify(options)]);
  return {
    pid: child.pid ?? 0,
    tell: (order) => void child.send(order),
    ask: (order, type) =>
      new Promise((resolve, reject) => {
        const gone = (): void => reject(new Error(`the callers' process is gone (${order.type})`));
        const listen = (message: unknown): void => {
          const answer = answerSchema.parse(message);
          if (answer.type !== type) return;
          child.off('message', listen).off('exit', gone);
          resolve(answer as Extract<Answer, { type: typeof type }>);
        };
        child.on('message', listen).once('exit', gone);
        child.send(order);
      }),
    stop: () => stop(child),
  };
}
