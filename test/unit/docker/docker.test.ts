// No Docker engine here: the files are held against each other, our own schema, and a linter.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { BUILD_PACKAGES, LINKED_PACKAGES } from '../../../scripts/mediasoup-worker/recipe.mjs';
import { SYSTEM_PACKAGES } from '../../../scripts/setup/system-packages.mjs';
import { METRICS } from '../../../src/base/metric-table.ts';
import { loadSettings, packageRoot, readEnvironment } from '../../../src/config.ts';

const read = (...path: string[]): string => readFileSync(join(packageRoot, ...path), 'utf8');

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z
      .object({
        image: z.string().regex(/^[a-z0-9/.-]+(:[\w.-]+)?$/),
        command: z.array(z.string()).optional(),
        environment: z.record(z.string(), z.string()).optional(),
        network_mode: z.literal('host').optional(),
        ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/, 'on loopback alone')).optional(),
        volumes: z.array(z.string()).optional(),
        depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
        healthcheck: z.record(z.string(), z.unknown()).optional(),
        restart: z.literal('unless-stopped'),
        stop_grace_period: z.string().optional(),
      })
      .loose(),
  ),
  volumes: z.record(z.string(), z.null()),
});
const compose = composeSchema.parse(parse(read('docker', 'compose.yaml'), { merge: true }));
const { gateway, worker, redis, postgres } = compose.services;

/** What the compose file wants from docker/.env. */
const wanted = [
  ...new Set([...read('docker', 'compose.yaml').matchAll(/\$\{([A-Z_]+)/g)].map((one) => one[1] ?? '')),
];

const ENVIRONMENT = {
  ...{
    PUBLIC_ADDRESS: '192.0.2.1',
    TRUNK_ADDRESS: '198.51.100.0/24',
    DRACHTIO_SECRET: 'd',
    TURN_SECRET: 't',
  },
  ...{ TOKEN_SECRET: 'x'.repeat(32), POSTGRES_PASSWORD: 'p' },
};
const settings = loadSettings(
  readEnvironment({ ...ENVIRONMENT, TRUNKLINE_CONFIG: join(packageRoot, 'docker', 'trunkline.yaml') }),
);

describe('docker/trunkline.yaml', () => {
  it('is right, and meets the services of the compose file', () => {
    const { config } = settings;
    const published = (ports: readonly string[] | undefined): string => ports?.[0]?.split(':')[1] ?? '';
    expect(new URL(config.redis.url).port).toBe(published(redis?.ports));
    expect(new URL(config.database.url).port).toBe(published(postgres?.ports));
    expect(new URL(config.database.url)).toMatchObject({ username: 'trunkline', pathname: '/trunkline' });
    expect(postgres?.environment).toMatchObject({ POSTGRES_USER: 'trunkline', POSTGRES_DB: 'trunkline' });
    const drachtio = compose.services['drachtio']?.command ?? [];
    expect(drachtio[drachtio.indexOf('--port') + 1]).toBe(String(config.sip.drachtio.port));
    expect(config.jobs.worker).toBe('none');
    expect(compose.services['coturn']?.command).toContain('--listening-port=3478');
    expect(config.web.ice.turn_urls.every((url) => url.includes('192.0.2.1:3478'))).toBe(true);
  });

  it('takes nothing from the environment that the compose file does not give', () => {
    const used = [...read('docker', 'trunkline.yaml').matchAll(/\$\{env:([A-Z_]+)\}/g)].map(
      (one) => one[1] ?? '',
    );
    expect(Object.keys(gateway?.environment ?? {})).toEqual(expect.arrayContaining(used));
    expect(gateway?.environment).toEqual(worker?.environment);
    expect(Object.keys(ENVIRONMENT).sort()).toEqual([...new Set(used)].sort());
  });
});

describe('docker/compose.yaml', () => {
  it('has every part of a gateway', () => {
    const parts = ['gateway', 'worker', 'drachtio', 'coturn', 'redis', 'postgres', 'prometheus', 'grafana'];
    expect(Object.keys(compose.services).sort()).toEqual(parts.sort());
  });

  it('names each image by its version, but for our own', () => {
    for (const [name, { image }] of Object.entries(compose.services))
      expect(image).toMatch(['gateway', 'worker'].includes(name) ? /^trunkline$/ : /:v?\d+/);
  });

  it('starts what is in the repository', () => {
    for (const service of [gateway, worker])
      expect(existsSync(join(packageRoot, 'node_modules', 'node'))).toBe(!!service);
    expect(gateway?.command?.at(-1)).toBe('src/main.ts');
    expect(worker?.command?.at(-1)).toBe('src/worker.ts');
  });

  it('waits only for services that are there, and mounts only what is there', () => {
    for (const { depends_on: needs = {}, volumes = [] } of Object.values(compose.services)) {
      expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(Object.keys(needs)));
      for (const source of volumes.map((one) => one.split(':')[0] ?? ''))
        expect(
          source.startsWith('..')
            ? existsSync(join(packageRoot, 'docker', source))
            : source in compose.volumes,
        ).toBe(true);
    }
  });

  it('waits for health only where something checks it', () => {
    for (const { depends_on: needs = {} } of Object.values(compose.services))
      for (const [name, { condition }] of Object.entries(needs))
        if (condition === 'service_healthy')
          expect(compose.services[name]?.healthcheck).toHaveProperty('test');
  });

  it('lets sound go first without a right that nothing else needs', () => {
    expect(compose.services['gateway']).toMatchObject({ ulimits: { rtprio: 1, nice: 30 } });
    const entitled = Object.values(compose.services).filter((one) => 'cap_add' in one || 'privileged' in one);
    expect(entitled).toEqual([]);
  });

  it('loses no job: Redis writes to the disk and evicts nothing', () => {
    expect(redis?.command?.join(' ')).toMatch(/--appendonly yes.*--maxmemory-policy noeviction/);
  });

  it('gives calls the time to finish that the configuration gives them', () => {
    const patienceMs = Number(/^(\d+)s$/.exec(gateway?.stop_grace_period ?? '')?.[1]) * 1000;
    expect(patienceMs).toBeGreaterThan(settings.config.calls.drain_ms);
  });

  it('asks docker/.env for nothing that docker/env.example does not show', () => {
    const shown = [...read('docker', 'env.example').matchAll(/^([A-Z_]+)=/gm)].map((one) => one[1] ?? '');
    expect(shown.sort()).toEqual(wanted.sort());
  });
});

describe('docker/Dockerfile', () => {
  const text = read('docker', 'Dockerfile');

  it('passes the linter', () => expect(validate(text).map((one) => one.message)).toEqual([]));

  const [, building = '', running = ''] = text.split(/^FROM /m);
  const installedIn = (stage: string): string[] =>
    /--no-install-recommends([^&]+)&&/
      .exec(stage)?.[1]
      ?.match(/[a-z0-9][a-z0-9.+-]+/g)
      ?.sort() ?? [];

  it('can build a mediasoup worker where none can be downloaded', () => {
    expect(installedIn(building)).toEqual([...BUILD_PACKAGES, 'ca-certificates'].sort());
  });

  it('installs what the gateway and a worker built so need from the distribution, but for Redis', () => {
    const needed = SYSTEM_PACKAGES.run.filter((name) => name !== 'redis-server');
    expect(installedIn(running)).toEqual([...needed, ...LINKED_PACKAGES].sort());
  });

  it('does not run as root, and is asked for its health where the operator API listens', () => {
    expect(text.lastIndexOf('USER node')).toBeGreaterThan(text.lastIndexOf('\nRUN '));
    const { host, port } = settings.config.operator;
    expect(text).toContain(`http://${host}:${port}/readyz`);
    expect(text).toContain(`VOLUME ${settings.dataDir}`);
  });
});

describe('what Prometheus and Grafana are told', () => {
  const expressions = (): string[] => {
    const rules = z
      .object({
        groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
      })
      .parse(parse(read('config', 'prometheus', 'alerts.yaml')));
    const board = z
      .object({
        panels: z.array(z.object({ id: z.number(), targets: z.array(z.object({ expr: z.string() })) })),
      })
      .parse(JSON.parse(read('config', 'grafana', 'dashboards', 'trunkline.json')));
    return [
      ...rules.groups.flatMap((group) => group.rules.map((rule) => rule.expr)),
      ...board.panels.flatMap((panel) => panel.targets.map((target) => target.expr)),
    ];
  };

  it('names only figures that there are, with labels that they have', () => {
    const named = expressions().flatMap((expression) => [...expression.matchAll(/\btrunkline_\w+/g)]);
    expect(named.length).toBeGreaterThan(20);
    for (const [name] of named) expect(Object.keys(METRICS)).toContain(name.replace(/_bucket$/, ''));
    for (const expression of expressions())
      for (const [, name = '', selector = ''] of expression.matchAll(/\b(trunkline_\w+)\{([^}]*)\}/g)) {
        const row = METRICS[name.replace(/_bucket$/, '') as keyof typeof METRICS];
        for (const [, label] of selector.matchAll(/(\w+)=/g)) expect(row.labels).toContain(label);
      }
  });

  it('scrapes the operator API', () => {
    const { host, port } = settings.config.operator;
    expect(read('config', 'prometheus', 'prometheus.yaml')).toContain(`'${host}:${port}'`);
  });
});
