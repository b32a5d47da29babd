/** The product as a person runs it: one process, a data folder, ports of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChildProgram, startProgram } from './child-program.ts';
import { eventually } from './eventually.ts';
import { RestClient, type TestStream } from './rest-client.ts';

export const repositoryDir = fileURLToPath(new URL('../../..', import.meta.url));

export interface Standalone extends AsyncDisposable {
  readonly program: ChildProgram;
  readonly dataDir: string;
  readonly httpUrl: string;
  readonly rtmpPort: number;
  /** The one-time link that the first start prints; undefined on later starts. */
  readonly signInCode: string | undefined;
  publishUrl(stream: Pick<TestStream, 'key'>): string;
  hlsUrl(stream: TestStream): string;
  /** Signs in with the printed link. */
  signIn(): Promise<RestClient>;
}

/** A temporary folder for the data of one or more starts. */
export async function openDataDir(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-e2e-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Environment of a child: only what it needs of ours, and `settings`. */
export function childEnv(settings: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = '', HOME = '/root', USER = 'root', TMPDIR } = process.env;
  return { PATH, HOME, USER, ...(TMPDIR ? { TMPDIR } : {}), NODE_ENV: 'test', ...settings };
}

/** Starts a main of ours from its sources. */
export function startMain(app: string, settings: Readonly<Record<string, string>>, cwd = repositoryDir): ChildProgram {
  const main = join(repositoryDir, 'apps', app, 'src', 'main.ts');
  const tsx = import.meta.resolve('tsx');
  return startProgram(process.execPath, ['--import', tsx, main], { env: childEnv(settings), cwd });
}

/** The JSON line with which a process says that it is ready. */
export async function readyLine(program: ChildProgram, withinMs = 90_000): Promise<Readonly<Record<string, unknown>>> {
  let line: string | undefined;
  await eventually(
    () => {
      if (!program.running) throw new Error(`it ended:\n${program.stdout()}\n${program.stderr().slice(-4_000)}`);
      line = program
        .stdout()
        .split('\n')
        .find((text) => text.startsWith('{') && text.includes('"event":"ready"'));
      return line !== undefined;
    },
    'a ready line on standard output',
    withinMs,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${program.stdout().slice(-2_000)}\n${program.stderr().slice(-4_000)}`);
  });
  return JSON.parse(line ?? '{}') as Record<string, unknown>;
}

/** Starts standalone on free ports and waits until it is ready. Disposing stops it (SIGTERM) and removes its data. */
export async function startStandalone(
  given: { readonly settings?: Readonly<Record<string, string>>; readonly dataDir?: string } = {},
): Promise<Standalone> {
  const own = given.dataDir === undefined ? await openDataDir() : undefined;
  const dataDir = given.dataDir ?? own?.path ?? '';
  const program = startMain('standalone', {
    DATA_DIR: dataDir,
    HTTP_PORT: '0',
    RTMP_PORT: '0',
    MILLRACE_READY_JSON: '1',
    ...given.settings,
  });
  const dispose = async () => {
    try {
      if (program.running) await program.stop('SIGTERM', 20_000);
    } finally {
      await own?.[Symbol.asyncDispose]();
    }
  };
  try {
    const ready = await readyLine(program);
    const rtmpPort = Number(ready['rtmp_port']);
    const httpUrl = String(ready['public_url']);
    const signInCode = /\/sign-in#code=([^\s"'\\]+)/.exec(`${program.stdout()}\n${program.stderr()}`)?.[1];
    return {
      program,
      dataDir,
      httpUrl,
      rtmpPort,
      signInCode,
      publishUrl: ({ key }) => `rtmp://127.0.0.1:${rtmpPort}/live/${key}`,
      hlsUrl: ({ playbackId }) => `${httpUrl}/live/${playbackId}/index.m3u8`,
      async signIn() {
        if (signInCode === undefined) throw new Error(`no sign-in link was printed:\n${program.stdout()}`);
        return RestClient.signIn(httpUrl, signInCode);
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
