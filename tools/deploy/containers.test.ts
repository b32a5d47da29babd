/** The files in deploy/ and k8s/ against their formats, and against the settings, ports and paths that the services have. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingsTable } from '@millrace/config';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { ensurePythonTools, pythonTool } from '../setup/python.mjs';
import { inRepository } from '../setup/workspace.mjs';
import { serviceSettingTables, settingMistakes } from './service-settings.ts';

interface ComposeService {
  readonly image: string;
  readonly build?: { readonly dockerfile: string; readonly args?: Readonly<Record<string, string>> };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
}

interface Container {
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: { readonly httpGet: unknown };
  readonly readinessProbe: { readonly httpGet: unknown };
  readonly resources: { readonly requests: unknown; readonly limits: unknown };
  readonly securityContext: unknown;
}

/** What the tests look at; the schemas of Kubernetes check the rest. */
interface ManifestSpec {
  readonly replicas: number;
  readonly selector: { readonly matchLabels: unknown };
  readonly ports: readonly { readonly targetPort: string }[];
  readonly template: {
    readonly spec: {
      readonly containers: readonly [Container];
      readonly securityContext: { readonly runAsNonRoot: boolean };
    };
  };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: ManifestSpec;
}

/** Part of a list that kustomize merges: by name, or by the path of a mount. */
interface PatchedItem {
  readonly name?: string;
  readonly mountPath?: string;
  readonly $patch?: 'delete';
}

interface BucketPatch {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly [
          PatchedItem & { readonly env: readonly PatchedItem[]; readonly volumeMounts: readonly PatchedItem[] },
        ];
        readonly volumes: readonly PatchedItem[];
      };
    };
  };
}

const compose = parse(readFileSync(inRepository('deploy/compose.yaml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const baseDir = inRepository('k8s', 'base');
const baseFiles = readdirSync(baseDir).filter((file) => file !== 'kustomization.yaml');
const manifests = baseFiles.flatMap((file) =>
  parseAllDocuments(readFileSync(join(baseDir, file), 'utf8')).map((document) => document.toJS() as Manifest),
);
const workloads = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
const template = readFileSync(inRepository('deploy/nginx/front.conf.template'), 'utf8');
const templateWords = [...new Set([...template.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, word = '']) => word))].sort();
/** What deploy/Dockerfile sets for every service. */
const imageSettings = { DATA_DIR: '/var/lib/millrace', INTERNAL_HTTP_PORT: '8081', HTTP_PORT: '8080' };

let tables: ReadonlyMap<string, SettingsTable>;
beforeAll(async () => {
  await ensurePythonTools();
  tables = await serviceSettingTables();
}, 120_000);

/** Only the settings of the table: what the image sets for all is not everybody's. */
const known = (app: string, env: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => name in (tables.get(app) ?? {})));

/** `${NAME:?text}` and `${NAME:-default}` as compose fills them in when every secret is given. */
const filled = (env: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      String(value).replaceAll(/\$\{\w+(?::([-?])([^}]*))?\}/g, (_, kind, text: string) =>
        kind === '-' ? text : 'a-secret-of-32-characters-or-more',
      ),
    ]),
  );

describe('the Dockerfiles', () => {
  test.each(['deploy/Dockerfile', 'deploy/front.Dockerfile'])('%s passes hadolint', (file) => {
    const done = spawnSync(pythonTool('hadolint'), [inRepository(file)], { encoding: 'utf8' });
    expect(done.stdout + done.stderr).toBe('');
    expect(done.status).toBe(0);
  });

  test('run as nobody in particular and say how they are', () => {
    for (const file of ['deploy/Dockerfile', 'deploy/front.Dockerfile']) {
      const text = readFileSync(inRepository(file), 'utf8');
      const last = text.slice(text.lastIndexOf('\nFROM '));
      expect(/^USER (\d+):\d+$/m.exec(last)?.[1], file).toMatch(/^[1-9]\d*$/);
      expect(last).toMatch(/^HEALTHCHECK /m);
      expect(last).toMatch(/\/healthz/);
      for (const [, source = ''] of text.matchAll(/^COPY (?!--from)(\S+)/gm)) {
        if (source !== '.') expect(readFileSync(inRepository(source), 'utf8').length, source).toBeGreaterThan(0);
      }
    }
    const text = readFileSync(inRepository('deploy/Dockerfile'), 'utf8');
    for (const [name, value] of Object.entries(imageSettings)) expect(text).toContain(`${name}=${value}`);
    expect(text).toMatch(/^EXPOSE 8080 8081 1935$/m);
  });
});

describe('compose.yaml', () => {
  test('is read by a strict parser of the compose specification', () => {
    const program = 'import sys, compose_spec; compose_spec.PyCompose.from_json(sys.stdin.read()).validate()';
    const read = (document: unknown) =>
      spawnSync(pythonTool('python'), ['-c', program], { input: JSON.stringify(document), encoding: 'utf8' });
    // Merge keys are resolved before, as compose does.
    expect(read(compose)).toMatchObject({ stderr: '', status: 0 });
    expect(read({ services: { control: { image: 'x', environmental: {} } } }).status).not.toBe(0);
  });

  test('runs every service, two of each that scales', () => {
    const apps = Object.values(compose.services).flatMap(({ build }) => build?.args?.['SERVICE'] ?? []);
    expect([...new Set(apps)].sort()).toEqual([...tables.keys()].filter((app) => app !== 'standalone').sort());
    for (const app of ['transcode', 'hub']) expect(apps.filter((each) => each === app)).toHaveLength(2);
    expect(apps.filter((each) => each === 'delivery')).toHaveLength(4);
  });

  test('gives each service settings that it knows and takes, and all that it needs', () => {
    const mistakes = Object.entries(compose.services).flatMap(([name, { build, environment = {} }]) => {
      const app = build?.args?.['SERVICE'];
      const table = app === undefined ? undefined : tables.get(app);
      if (app === undefined || table === undefined) return [];
      return settingMistakes(table, { ...known(app, imageSettings), ...filled(environment) }).map(
        (text) => `${name}: ${text}`,
      );
    });
    expect(mistakes).toEqual([]);
  });

  test('names only hosts and volumes that are there, and ports that somebody listens on', () => {
    const hosts = new Set(Object.keys(compose.services));
    const text = JSON.stringify(compose.services);
    const asked = [...text.matchAll(/(?:\/\/|server |@|KAFKA_BROKERS":")([a-z][a-z0-9-]*):(\d+)/g)];
    expect(asked.length).toBeGreaterThan(15);
    const wrong = asked.filter(
      ([, host = '', port]) => !hosts.has(host) || !['8080', '8081', '9092', '8123', '5432'].includes(port ?? ''),
    );
    expect(wrong.map(([all]) => all).filter((all) => !/localhost|127\.0\.0/.test(all))).toEqual([]);
    for (const { volumes = [] } of Object.values(compose.services)) {
      for (const volume of volumes) {
        const [from = ''] = volume.split(':');
        if (!from.startsWith('.')) expect(Object.keys(compose.volumes)).toContain(from);
      }
    }
  });

  test('fills every word of the front’s template', () => {
    const front = compose.services['front'];
    const image = readFileSync(inRepository('deploy/front.Dockerfile'), 'utf8');
    const given = [
      ...Object.keys(front?.environment ?? {}),
      ...['FRONT_LISTEN', 'STUDIO_DIR', 'OPENAPI_FILE'].filter((word) => image.includes(`${word}=`)),
    ];
    expect(given.sort()).toEqual(templateWords);
  });

  test('is scraped by Prometheus: each process at its internal port', () => {
    const text = readFileSync(inRepository('deploy/prometheus/prometheus.yml'), 'utf8');
    const scraped = [...text.matchAll(/"([a-z0-9-]+):8081"/g)].map(([, name]) => name).sort();
    const ours = Object.entries(compose.services).flatMap(([name, { build }]) =>
      build?.args?.['SERVICE'] ? [name] : [],
    );
    expect(scraped).toEqual(ours.sort());
  });
});

describe('the kustomize base', () => {
  test('is valid for Kubernetes, strictly', () => {
    const files = [
      ...baseFiles.map((file) => join(baseDir, file)),
      ...['namespace.yaml', 'world.yaml'].map((file) => inRepository('k8s/overlays/example', file)),
    ];
    const done = spawnSync(pythonTool('kubernetes-validate'), ['--strict', ...files], { encoding: 'utf8' });
    expect(done.stdout + done.stderr).not.toMatch(/ERROR|WARN/);
    expect(done.status).toBe(0);
  });

  test('lists its files, and the overlay what there is', () => {
    const { resources } = parse(readFileSync(join(baseDir, 'kustomization.yaml'), 'utf8')) as { resources: string[] };
    expect([...resources].sort()).toEqual([...baseFiles].sort());
    const overlay = parse(readFileSync(inRepository('k8s/overlays/example/kustomization.yaml'), 'utf8')) as {
      images: readonly { name: string }[];
    };
    const images = workloads.map(({ spec }) => spec.template.spec.containers[0].image);
    expect(overlay.images.map(({ name }) => name).sort()).toEqual([...new Set(images)].sort());
  });

  test('gives each service settings that it knows and takes, and all that it needs', () => {
    const shared =
      manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'millrace')?.data ?? {};
    const everySetting = new Set([...tables.values()].flatMap((table) => Object.keys(table)));
    expect(Object.keys(shared).filter((name) => !everySetting.has(name))).toEqual([]);
    const mistakes = workloads.flatMap(({ metadata, spec }) => {
      const [container] = spec.template.spec.containers;
      const app = container.image.replace('millrace/', '');
      const table = tables.get(app);
      if (table === undefined) return app === 'front' ? [] : [`${metadata.name}: no service ${app}`];
      const env = (container.env ?? []).filter(({ name }) => name !== 'POD_NAME');
      const own = env.map(({ name, value }) => [
        name,
        (value ?? 'http://from-a-secret').replace('$(POD_NAME)', `${metadata.name}-0`),
      ]);
      const given = {
        ...known(app, shared),
        MILLRACE_SERVICE_TOKEN: 'a-secret-of-32-characters-or-more',
        ...Object.fromEntries(own),
      };
      return settingMistakes(table, given).map((text) => `${metadata.name}: ${text}`);
    });
    expect(mistakes).toEqual([]);
  });

  test('is without the shared volume, and complete, with media in a bucket', () => {
    const file = readFileSync(inRepository('k8s/components/bucket/kustomization.yaml'), 'utf8');
    const { patches } = parse(file) as { patches: readonly { patch: string }[] };
    const [claim, ...pods] = patches.map(({ patch }) => parse(patch) as BucketPatch);
    expect(claim).toMatchObject({ kind: 'PersistentVolumeClaim', metadata: { name: 'media' }, $patch: 'delete' });
    const withVolume = workloads.filter((workload) => JSON.stringify(workload).includes('/var/lib/millrace-media'));
    expect(pods.map(({ metadata }) => metadata.name).sort()).toEqual(withVolume.map((w) => w.metadata.name).sort());
    for (const { kind, metadata, spec } of pods) {
      const workload = withVolume.find((each) => each.kind === kind && each.metadata.name === metadata.name);
      const [container] = workload?.spec.template.spec.containers ?? [];
      const [changed] = spec.template.spec.containers;
      const table = tables.get(container?.image.replace('millrace/', '') ?? '') ?? {};
      const left = (whole: unknown, patched: readonly PatchedItem[], key: keyof PatchedItem) => {
        const gone = patched.filter(({ $patch }) => $patch === 'delete').map((item) => item[key]);
        const items = whole as readonly PatchedItem[];
        expect(items.map((item) => item[key])).toEqual(expect.arrayContaining(gone));
        return items.filter((item) => !gone.includes(item[key]));
      };
      expect(changed.name).toBe((container as unknown as PatchedItem).name);
      const rest = [
        left(container?.env, changed.env, 'name'),
        left((container as unknown as { volumeMounts: unknown }).volumeMounts, changed.volumeMounts, 'mountPath'),
        left(
          (workload?.spec.template.spec as unknown as { volumes: unknown }).volumes,
          spec.template.spec.volumes,
          'name',
        ),
      ];
      expect(JSON.stringify(rest), metadata.name).not.toMatch(/"media"|millrace-media|MEDIA_DIR/);
      const added = changed.env.filter(({ $patch }) => $patch === undefined).map(({ name }) => name ?? '');
      expect(added.filter((name) => !(name in table))).toEqual([]);
      expect(added).toContain('MEDIA_S3_SECRET_ACCESS_KEY');
      expect(settingMistakes(table, { MEDIA_STORE_URL: 's3://bucket/millrace' }).join()).not.toContain('MEDIA_');
    }
  });

  test.each(workloads.map((workload) => [workload.metadata.name, workload] as const))(
    '%s: ports, probes, resources, a Service and a disruption budget',
    (name, { spec }) => {
      const [container] = spec.template.spec.containers;
      const ports = new Map(container.ports.map((port) => [port.name, port.containerPort]));
      const expected =
        name === 'front'
          ? { http: 8080 }
          : {
              internal: 8081,
              ...(ports.has('http') ? { http: 8080 } : {}),
              ...(name === 'ingest' ? { rtmp: 1935 } : {}),
            };
      expect(Object.fromEntries(ports)).toEqual(expected);
      const probe = name === 'front' ? 'http' : 'internal';
      expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: probe });
      expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: probe });
      expect(container.resources.requests).toMatchObject({ cpu: expect.anything(), memory: expect.anything() });
      expect(container.resources.limits).toMatchObject({ memory: expect.anything() });
      expect(container.securityContext).toMatchObject({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
      });
      expect(spec.template.spec.securityContext.runAsNonRoot).toBe(true);
      const of = (kind: string) => manifests.filter((each) => each.kind === kind && each.metadata.name === name);
      expect(of('Service')).toHaveLength(1);
      expect(of('PodDisruptionBudget')[0]?.spec.selector.matchLabels).toEqual(spec.selector.matchLabels);
      for (const port of of('Service')[0]?.spec.ports ?? []) expect([...ports.keys()]).toContain(port.targetPort);
    },
  );

  test('fills every word of the front’s template, with addresses of pods that there are', () => {
    const front =
      manifests.find(({ metadata, kind }) => kind === 'ConfigMap' && metadata.name === 'millrace-front')?.data ?? {};
    expect([...Object.keys(front), 'FRONT_LISTEN', 'OPENAPI_FILE', 'STUDIO_DIR'].sort()).toEqual(templateWords);
    const text = JSON.stringify([front, workloads.map(({ spec }) => spec.template.spec.containers[0].env)]);
    const pods = [...text.matchAll(/([a-z-]+)-(\d)\.([a-z-]+)(?:\.millrace\.svc\.cluster\.local)?:(\d+)/g)];
    expect(pods.length).toBeGreaterThan(5);
    for (const [all, set = '', ordinal, service, port] of pods) {
      const workload = workloads.find(({ metadata }) => metadata.name === set);
      expect(workload?.kind, all).toBe('StatefulSet');
      expect(service, all).toBe(set);
      expect(Number(ordinal), all).toBeLessThan(workload?.spec.replicas ?? 0);
      expect(['8080', '8081'], all).toContain(port);
    }
  });
});
