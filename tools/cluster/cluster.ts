/**
 * The product as processes on one machine: engines, every service, nginx in front. `npm run cluster` and the end-to-end
 * tests use this one runner.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { freePort } from '../rig/free-port.ts';
import { memoryOf, processTree } from '../rig/process-usage.ts';
import { ensureRunBundle } from '../setup/bundle.mjs';
import { findOnPath } from '../setup/programs.mjs';
import { inRepository, rootDir } from '../setup/workspace.mjs';
import { openEngines } from './engines.ts';
import { frontConfig, nginxConfig } from './front-config.ts';
import { askReadiness, type ProcessRow } from './process-health.ts';
import { ProcessLog } from './process-log.ts';
import { clusterServices, type PlannedService, planCluster, type ServicePorts } from './process-plan.ts';
import { type ProcessObserver, type ProcessSpec, SupervisedProcess } from './supervised-process.ts';

export interface ClusterOptions {
  /** Everything that is kept is below it. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Port of nginx; default: a free one. */
  readonly frontPort?: number;
  readonly rtmpPort?: number;
  /** Origin that the world uses; default http://localhost and the port. */
  readonly publicUrl?: string;
  /** Internal listeners get `firstPort`, `firstPort + 2`..., public ones the ports between; default: free ones. */
  readonly firstPort?: number;
  readonly databaseUrl?: string;
  readonly clickhouseUrl?: string;
  readonly kafkaBrokers?: readonly string[];
  readonly kafkaPort?: number;
  /** Default `kafka`. */
  readonly eventLog?: 'kafka' | 'postgresql';
  /** Settings of every service. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Longest wait until every process is ready, ms; default 90 s. */
  readonly readyWithinMs?: number;
  readonly observer?: ProcessObserver;
}

export interface ClusterProcesses extends AsyncDisposable {
  readonly publicUrl: string;
  readonly rtmpPort: number;
  /** One-time link of the admin, printed by control. */
  readonly adminLink: string;
  readonly services: readonly PlannedService[];
  readonly kafkaBrokers: readonly string[];
  readonly databaseUrl: string;
  readonly serviceToken: string;
  /** Names of everything that can be killed: services, `nginx`, `kafka`, `postgresql`. */
  readonly names: readonly string[];
  pidOf(name: string): number;
  /** Sends a signal, by default SIGKILL; who dies of it is started again with backoff. */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** kill -9, and waits until it is ready again. */
  restart(name: string, withinMs?: number): Promise<void>;
  /** One look at everything. */
  rows(): Promise<readonly ProcessRow[]>;
  /** The last of what a process wrote. */
  tail(name: string): string;
}

/** Who crashes more often than this before everything is ready is given up. */
const mostRestarts = 4;

/** Starts all of it and waits until everything is ready. Disposing stops it in order; nothing is left. */
export async function startClusterProcesses(options: ClusterOptions): Promise<ClusterProcesses> {
  const { log } = options;
  const dataDir = resolve(options.dataDir);
  const scope = new Scope({
    stepDeadlineMs: 40_000,
    onError: (step, error) => log.error('close-failed', { step, error }),
  });
  const observer = options.observer ?? {
    ended: (name, how, againInMs) => log.warn('process-ended', { name, how, again_in_ms: againInMs }),
    restarted: (name, pid) => log.warn('process-restarted', { name, pid }),
  };
  try {
    return await start();
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }

  async function start(): Promise<ClusterProcesses> {
    const { databaseUrl, kafkaBrokers = [], kafkaPort, eventLog = 'kafka' } = options;
    const apps = [...new Set(clusterServices.map(({ app }) => app))];
    const [engines, ...bundles] = await Promise.all([
      openEngines({ dataDir, log, databaseUrl, kafkaBrokers, kafkaPort, eventLog }),
      ...apps.map(async (app) => [app, await ensureRunBundle(app)] as const),
    ]);
    scope.use(engines, 'engines');
    const ports = await choosePorts(options.firstPort);
    const frontPort = options.frontPort ?? (await freePort());
    const rtmpPort = options.rtmpPort ?? (await freePort());
    const publicUrl = options.publicUrl ?? `http://localhost:${frontPort}`;
    const serviceToken = randomBytes(24).toString('base64url');
    const { clickhouseUrl, settings = {} } = options;
    const services = planCluster({
      ...{ ports, frontPort, rtmpPort, publicUrl, dataDir, serviceToken, clickhouseUrl, settings },
      ...{ databaseUrl: engines.databaseUrl, kafkaBrokers: engines.kafkaBrokers },
    });
    const bundleOf = new Map<string, string>(bundles);
    const processes = new Map<string, SupervisedProcess>();
    const supervise = (spec: ProcessSpec): SupervisedProcess => {
      const file = scope.use(new ProcessLog(join(dataDir, 'logs', `${spec.name}.log`)), `log of ${spec.name}`);
      const supervised = new SupervisedProcess(spec, file, observer);
      processes.set(spec.name, supervised);
      return supervised;
    };
    // Closed in the order that media flows: who sends stops before who takes.
    const front = supervise(nginxSpec(services, frontPort));
    scope.use(front, 'nginx');
    const stages = [...new Set(services.map(({ stopsAt }) => stopsAt))].sort((a, b) => b - a);
    for (const stage of stages) {
      const members = services.filter(({ stopsAt }) => stopsAt === stage).map((service) => supervise(specOf(service)));
      scope.defer(`stage ${stage}`, () => Promise.all(members.map((member) => member.stop())));
    }

    const urlOf = new Map(services.map(({ name, internalUrl }) => [name, internalUrl]));
    urlOf.set('nginx', `http://127.0.0.1:${frontPort}`);
    const deadlineMs = performance.now() + (options.readyWithinMs ?? 90_000);
    const untilReady = async (names: readonly string[], untilMs: number): Promise<void> => {
      let waiting: readonly string[] = names;
      let reasons: readonly string[] = [];
      for (;;) {
        const answers = await Promise.all(waiting.map((name) => askReadiness(urlOf.get(name) ?? '')));
        reasons = waiting.flatMap((name, i) =>
          answers[i]?.ready ? [] : [`${name}: ${answers[i]?.reasons.join('; ')}`],
        );
        waiting = waiting.filter((_, i) => !answers[i]?.ready);
        if (waiting.length === 0) return;
        const hopeless = (name: string) => {
          const { state = 'failed', restarts = 0 } = processes.get(name) ?? {};
          return state === 'failed' || restarts >= mostRestarts;
        };
        const failed = waiting.find(hopeless);
        if (failed !== undefined || performance.now() > untilMs) {
          const told = processes
            .get(failed ?? waiting[0] ?? '')
            ?.tail()
            .slice(-4_000);
          throw new Error(`the cluster is not ready: ${reasons.join(', ')}\n${told}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    // Control makes the tables and topics that the others read.
    processes.get('control-1')?.start();
    await untilReady(['control-1'], deadlineMs);
    for (const supervised of processes.values()) supervised.start();
    await untilReady([...processes.keys()], deadlineMs);
    const adminLink = /(http\S+\/sign-in#code=\S+)/.exec(processes.get('control-1')?.tail() ?? '')?.[1];
    if (adminLink === undefined)
      throw new Error(`control printed no sign-in link:\n${processes.get('control-1')?.tail()}`);

    const cpuBefore = new Map<string, { readonly atMs: number; readonly cpuMs: number }>();
    const engineOf = (name: string) => engines.own.find((engine) => engine.name === name);
    const one = (name: string): SupervisedProcess => {
      const found = processes.get(name);
      if (found === undefined) throw new Error(`no process "${name}" among ${[...processes.keys()].join(', ')}`);
      return found;
    };
    return {
      ...{ publicUrl, rtmpPort, adminLink, services, serviceToken },
      databaseUrl: engines.databaseUrl,
      kafkaBrokers: engines.kafkaBrokers,
      names: [...processes.keys(), ...engines.own.map(({ name }) => name)],
      pidOf: (name) => engineOf(name)?.pid ?? one(name).pid,
      kill: (name, signal = 'SIGKILL') => engineOf(name)?.kill() ?? one(name).kill(signal),
      async restart(name, withinMs = 30_000) {
        await one(name).kill('SIGKILL');
        await untilReady([name], performance.now() + withinMs);
      },
      tail: (name) => processes.get(name)?.tail() ?? '',
      async rows() {
        const rows = [...processes].map(async ([name, { state, pid, restarts }]): Promise<ProcessRow> => {
          const asked = await askReadiness(urlOf.get(name) ?? '');
          const health = state === 'running' ? asked : { ready: false, reasons: [`it is ${state}`] };
          return { name, state, pid, restarts, ...health, ...usageOf(name, pid) };
        });
        const engineRows = engines.own.map(({ name, pid, restarts }): ProcessRow => {
          const state = pid === 0 ? 'waiting' : 'running';
          const reasons = pid === 0 ? ['it is down'] : [];
          return { name, pid, state, restarts, ready: pid !== 0, reasons, ...usageOf(name, pid) };
        });
        return [...(await Promise.all(rows)), ...engineRows];
      },
      [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
    };

    /** Of a process and its children, since the last look. */
    function usageOf(name: string, pid: number): { readonly cpu: number; readonly memoryBytes: number } {
      const tree = pid === 0 ? [] : processTree(pid);
      const [atMs, cpuMs] = [performance.now(), tree.reduce((sum, each) => sum + each.cpuMs, 0)];
      const before = cpuBefore.get(name);
      cpuBefore.set(name, { atMs, cpuMs });
      const cpu = before === undefined ? 0 : Math.max(0, cpuMs - before.cpuMs) / (atMs - before.atMs);
      return { cpu, memoryBytes: tree.reduce((sum, each) => sum + memoryOf(each.pid).rss, 0) };
    }

    function specOf({ name, app, env }: PlannedService): ProcessSpec {
      const { PATH = '', HOME = '', TMPDIR } = process.env;
      const command = [process.execPath, '--enable-source-maps', bundleOf.get(app) ?? ''];
      return {
        ...{ name, cwd: rootDir, stopSignal: 'SIGTERM', stopWithinMs: 20_000 },
        // The first line that control prints is for whoever started the cluster.
        command: app === 'control' ? [...command, 'admin-link'] : command,
        env: { PATH, HOME, ...(TMPDIR ? { TMPDIR } : {}), NODE_ENV: 'production', ...env },
      };
    }
  }

  function nginxSpec(services: readonly PlannedService[], port: number): ProcessSpec {
    const dir = join(dataDir, 'nginx');
    mkdirSync(join(dir, 'temp'), { recursive: true });
    const urls = (prefix: string) =>
      services.flatMap(({ name, httpUrl }) => (name.startsWith(prefix) && httpUrl ? [httpUrl] : []));
    const addresses = {
      control: urls('control'),
      progress: urls('progress'),
      analytics: urls('analytics'),
      edges: urls('delivery-edge'),
      hubs: urls('hub'),
    };
    const files = { studio: inRepository('apps/studio/dist'), openApi: inRepository('docs/generated/openapi.json') };
    writeFileSync(join(dir, 'front.conf'), frontConfig({ port, ...addresses }, files));
    writeFileSync(join(dir, 'nginx.conf'), nginxConfig(dir, Math.min(2, cpus().length)));
    // Debian keeps it outside of an ordinary user's PATH.
    const nginx = findOnPath(['nginx'], `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`) ?? 'nginx';
    return {
      ...{ name: 'nginx', cwd: dir, stopSignal: 'SIGQUIT', stopWithinMs: 5_000 },
      command: [nginx, '-p', dir, '-c', join(dir, 'nginx.conf')],
      env: { PATH: process.env['PATH'] ?? '' },
    };
  }
}

async function choosePorts(first: number | undefined): Promise<ReadonlyMap<string, ServicePorts>> {
  const ports = new Map<string, ServicePorts>();
  for (const [i, { name }] of clusterServices.entries()) {
    if (first === undefined) ports.set(name, { internal: await freePort(), http: await freePort() });
    else ports.set(name, { internal: first + 2 * i, http: first + 2 * i + 1 });
  }
  return ports;
}
