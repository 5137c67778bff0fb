/**
 * A network of its own for one program: a namespace behind a pair of virtual Ethernet devices, whose cable
 * can be pulled and put back. Needs root and iproute2.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export class NetworkNamespace {
  /** This machine's end of the cable: where the program finds what listens there. */
  readonly address: string;
  readonly #name: string;
  readonly #device: string;
  readonly #folder: string;

  private constructor(parts: { name: string; device: string; address: string; folder: string }) {
    this.#name = parts.name;
    this.#device = parts.device;
    this.address = parts.address;
    this.#folder = parts.folder;
  }

  /** @throws Error that says what is missing: root, iproute2, or the right to make namespaces */
  static async open(): Promise<NetworkNamespace> {
    // Names of devices have 15 characters at most; networks of 10.213.0.0/16, one for each process.
    const mark = process.pid.toString(36);
    const [name, device, inside] = [`trunkline-${mark}`, `tl${mark}`, `tlin${mark}`];
    const network = `10.213.${process.pid % 250}`;
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-network-'));
    const namespace = new NetworkNamespace({ name, device, address: `${network}.1`, folder });
    try {
      await run('ip', ['netns', 'add', name]);
      await run('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', inside, 'netns', name]);
      await run('ip', ['addr', 'add', `${network}.1/24`, 'dev', device]);
      await run('ip', ['link', 'set', device, 'up']);
      const within = ['-n', name];
      await run('ip', [...within, 'link', 'set', 'lo', 'up']);
      await run('ip', [...within, 'addr', 'add', `${network}.2/24`, 'dev', inside]);
      await run('ip', [...within, 'link', 'set', inside, 'up']);
      await run('ip', [...within, 'route', 'add', 'default', 'via', `${network}.1`]);
      return namespace;
    } catch (error) {
      await namespace.close();
      throw new Error(
        'no network namespace: this test needs root (CAP_NET_ADMIN and CAP_SYS_ADMIN) and iproute2',
        { cause: error },
      );
    }
  }

  /** A program that runs `program` in here, with whatever arguments it is given. */
  async wrap(program: string): Promise<string> {
    const script = join(this.#folder, 'within');
    await writeFile(script, `#!/bin/sh\nexec ip netns exec ${this.#name} ${program} "$@"\n`, { mode: 0o755 });
    return script;
  }

  /** Pulls the cable. */
  async cut(): Promise<void> {
    await run('ip', ['link', 'set', this.#device, 'down']);
  }

  /** Puts it back. */
  async restore(): Promise<void> {
    await run('ip', ['link', 'set', this.#device, 'up']);
  }

  /** Takes everything away. Idempotent; programs inside must have ended. */
  async close(): Promise<void> {
    await run('ip', ['link', 'del', this.#device]).catch(() => undefined);
    await run('ip', ['netns', 'del', this.#name]).catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
