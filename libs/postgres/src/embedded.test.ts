import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '@millrace/lifecycle';
import { silentLogger } from '@millrace/log';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openEmbeddedPostgres } from './embedded.ts';
import { openSql } from './sql.ts';

let dir: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-embedded-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});
const open = (more: Partial<Parameters<typeof openEmbeddedPostgres>[0]> = {}) =>
  openEmbeddedPostgres({ dataDir: join(dir, 'pg'), log: silentLogger, ...more });

async function rows(url: string, query: string): Promise<readonly unknown[]> {
  const sql = openSql(url, { applicationName: 'test', maxConnections: 1 });
  try {
    return [...(await sql.unsafe(query))];
  } finally {
    await sql.end();
  }
}

/** Runs `crashing-owner.ts` on the folder, as `user` when given, and resolves once it has written its row. */
async function owner(as: readonly string[] = []): Promise<{ child: ChildProcess; pid: number; identity: string }> {
  const script = new URL('./crashing-owner.ts', import.meta.url).pathname;
  const [command, ...args] = [...as, process.execPath, '--import', 'tsx', script, join(dir, 'pg')];
  const child = spawn(command ?? '', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  let errors = '';
  child.stdout?.on('data', (data: Buffer) => {
    text += data.toString();
  });
  child.stderr?.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  await vi.waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`owner exited: ${errors}`);
      expect(text).toContain('\n');
    },
    { timeout: 40_000, interval: 50 },
  );
  return { child, ...(JSON.parse(text) as { pid: number; identity: string }) };
}

const kill = async (child: ChildProcess, signal: NodeJS.Signals) => {
  const gone = new Promise((resolve) => child.once('close', resolve));
  child.kill(signal);
  await gone;
};

describe('the embedded PostgreSQL', () => {
  it('starts in a 0700 folder, durable, without a TCP port, and leaves no process when closed', async () => {
    mkdirSync(join(dir, 'closed'), { mode: 0o700 });
    const postgres = await open({ dataDir: join(dir, 'closed', 'pg') });
    const shown = await rows(
      postgres.connectionUrl,
      `SELECT current_setting('fsync') AS fsync, current_setting('listen_addresses') AS listens,
              current_setting('server_encoding') AS encoding, current_setting('shared_buffers') AS buffers,
              (SELECT datcollate FROM pg_database WHERE datname = current_database()) AS collation`,
    );
    expect(shown).toEqual([{ fsync: 'on', listens: '', encoding: 'UTF8', buffers: '32MB', collation: 'C' }]);
    expect(statSync(join(dir, 'closed', 'pg')).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, 'closed', 'pg', 'run')).mode & 0o777).toBe(0o700);
    const { pid } = postgres;
    expect(spawnSync('ps', ['-o', 'sid=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()).toBe(String(pid));
    await postgres[Symbol.asyncDispose]();
    expect(isAlive(pid)).toBe(false);
    expect(readdirSync(join(dir, 'closed', 'pg'))).not.toContain('owner.json');
  });

  it('starts again by itself when the postmaster is killed, and has what was committed', async () => {
    await using postgres = await open();
    await rows(postgres.connectionUrl, 'CREATE TABLE notes (n int)');
    await rows(postgres.connectionUrl, 'INSERT INTO notes VALUES (42)');
    process.kill(postgres.pid, 'SIGKILL');
    await vi.waitFor(() => expect(postgres.restarts).toBe(1), { timeout: 20_000 });
    expect(await rows(postgres.connectionUrl, 'SELECT n FROM notes')).toEqual([{ n: 42 }]);
  });

  it('a pool goes on, with the right answers, after its server was killed again and again under load', async () => {
    await using postgres = await open();
    const sql = openSql(postgres.connectionUrl, { applicationName: 'load', maxConnections: 4 });
    let answered = 0;
    let stopping = false;
    const wrong: unknown[] = [];
    const ask = async (from: number) => {
      for (let n = from; !stopping; n += 1) {
        const asked = sql.begin(
          async (tx) => (await tx`SELECT ${n}::int AS n, ${'x'.repeat(n % 2_000)}::text AS pad`)[0]?.['n'],
        );
        const answer: unknown = await asked.catch(() => undefined);
        if (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
        else {
          answered++;
          if (answer !== n) wrong.push(answer);
        }
      }
    };
    const asking = Promise.all(Array.from({ length: 8 }, (_, index) => ask(index * 1_000_000)));
    for (let round = 1; round <= 3; round++) {
      const before = answered;
      await vi.waitFor(() => expect(answered).toBeGreaterThan(before + 50), { timeout: 20_000 });
      process.kill(postgres.pid, 'SIGKILL');
      await vi.waitFor(() => expect(postgres.restarts).toBe(round), { timeout: 20_000 });
    }
    const before = answered;
    await vi.waitFor(() => expect(answered).toBeGreaterThan(before + 50), { timeout: 20_000 });
    stopping = true;
    await asking;
    expect(wrong).toEqual([]);
    await sql.end({ timeout: 2 });
  }, 90_000);

  it('is taken over after kill -9 of its owner: the orphan is stopped and the data is there', async () => {
    const { child, pid } = await owner();
    await kill(child, 'SIGKILL');
    expect(isAlive(pid)).toBe(true);
    await using postgres = await open();
    expect(isAlive(pid)).toBe(false);
    expect(await rows(postgres.connectionUrl, 'SELECT n FROM notes')).toEqual([{ n: 1 }]);
  }, 60_000);

  it('is taken over after kill -9 of its owner and of the postmaster', async () => {
    const { child, pid } = await owner();
    await kill(child, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    await using postgres = await open();
    expect(await rows(postgres.connectionUrl, 'SELECT n FROM notes')).toEqual([{ n: 1 }]);
  }, 60_000);

  it('a folder that another process uses is refused with its id, and that process is left alone', async () => {
    const { child, pid } = await owner();
    await expect(open()).rejects.toThrow(`is in use by process ${child.pid}`);
    expect(isAlive(pid)).toBe(true);
    await kill(child, 'SIGTERM');
    // whoever inherits it may take a moment to collect it
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });
  }, 60_000);

  it('a pid file that names somebody else`s process does not stop it from starting', async () => {
    const first = await open();
    await first[Symbol.asyncDispose]();
    writeFileSync(join(dir, 'pg', 'cluster', 'postmaster.pid'), `${process.pid}\n/nowhere\n`);
    await using second = await open();
    expect(await rows(second.connectionUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('a folder of another major version is refused with both versions and what to do', async () => {
    mkdirSync(join(dir, 'pg', 'cluster'), { recursive: true });
    writeFileSync(join(dir, 'pg', 'cluster', 'PG_VERSION'), '15\n');
    await expect(open()).rejects.toThrow(/made by PostgreSQL 15, this Millrace brings PostgreSQL 18: .*dump the data/);
  });

  it('an initdb that was cut short is begun anew', async () => {
    mkdirSync(join(dir, 'pg', 'cluster.making', 'base'), { recursive: true });
    await using postgres = await open();
    expect(await rows(postgres.connectionUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('a folder whose path is too long for a unix socket gets one in the temporary folder, removed at the end', async () => {
    const long = join(dir, 'x'.repeat(90));
    const postgres = await open({ dataDir: long });
    const socket = new URL(postgres.connectionUrl).searchParams.get('host') ?? '';
    expect(socket.startsWith(dir)).toBe(false);
    expect(statSync(socket).mode & 0o777).toBe(0o700);
    await postgres[Symbol.asyncDispose]();
    expect(existsSync(socket)).toBe(false);
  });

  it('on TCP it wants the password', async () => {
    await using postgres = await open({ listen: 'tcp' });
    expect(await rows(postgres.connectionUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const url = new URL(postgres.connectionUrl);
    url.password = 'wrong';
    await expect(rows(url.toString(), 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });
});

describe.runIf(process.getuid?.() === 0)('as root', () => {
  it('runs in a user namespace, or as the named unprivileged user where those are forbidden', async () => {
    await using postgres = await open();
    expect(['user-namespace', 'other-user']).toContain(postgres.identity.kind);
  });

  it('runs as another unprivileged user who can reach the folder', async () => {
    chmodSync(dir, 0o755);
    const identity = { kind: 'other-user', name: 'nobody', uid: 65_534, gid: 65_534 } as const;
    const first = await open({ identity });
    expect(statSync(join(dir, 'pg', 'cluster')).uid).toBe(65_534);
    await first[Symbol.asyncDispose]();
    // What another user's PostgreSQL made goes on under that user.
    await using second = await open();
    expect(second.identity).toMatchObject({ kind: 'other-user', uid: 65_534 });
  });

  it('a folder the other user cannot reach is an error that names the user and what he must reach', async () => {
    chmodSync(dir, 0o700);
    const identity = { kind: 'other-user', name: 'nobody', uid: 65_534, gid: 65_534 } as const;
    await expect(open({ identity })).rejects.toThrow(/running PostgreSQL as nobody, who must be able to reach/);
  });

  it('a plain user runs it directly and finds the data again after kill -9', async () => {
    mkdirSync(join(dir, 'pg'), { mode: 0o700 });
    spawnSync('chown', ['-R', '1000:1000', dir]);
    const as = ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', '--no-new-privs'];
    const first = await owner(as);
    expect(first.identity).toBe('self');
    await kill(first.child, 'SIGKILL');
    const second = await owner(as);
    expect(second.pid).not.toBe(first.pid);
    expect(isAlive(first.pid)).toBe(false);
    await kill(second.child, 'SIGTERM');
    // whoever inherits it may take a moment to collect it
    await vi.waitFor(() => expect(isAlive(second.pid)).toBe(false), { timeout: 10_000 });
    await using asRoot = await open();
    expect(await rows(asRoot.connectionUrl, 'SELECT count(*)::int AS n FROM notes')).toEqual([{ n: 2 }]);
  }, 90_000);
});
