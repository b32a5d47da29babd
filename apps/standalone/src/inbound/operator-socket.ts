/**
 * A Unix socket in the data folder. It is the folder's lock (a second standalone on the same data must not start) and
 * where a command on the same machine speaks to the running process: one line in, one JSON line out. Who may write the folder may
 * ask; nobody else can reach it.
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { err, ok, type Result } from '@millrace/result';

const maxLineBytes = 1024;
const idleMs = 10_000;
/** `sun_path` holds 108 bytes, its closing zero included (unix(7)). */
const maxSocketPath = 107;

/** Answers one command; what it returns is sent as JSON. */
export type OperatorCommand = () => Promise<Readonly<Record<string, unknown>>>;

export interface DataInUse {
  readonly kind: 'data-in-use';
  readonly message: string;
}

/** Opens the socket of `dataDir` with the commands it knows; the error says that another process holds the folder. */
export async function openOperatorSocket(
  dataDir: string,
  commands: Readonly<Record<string, OperatorCommand>>,
): Promise<Result<AsyncDisposable, DataInUse>> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = operatorSocketPath(dataDir);
  if (await answers(path)) {
    const message = `${resolve(dataDir)} is in use by a running Millrace: stop it, or set DATA_DIR to another folder`;
    return err({ kind: 'data-in-use', message });
  }
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(idleMs, () => socket.destroy());
    answerOneLine(socket, commands);
  });
  server.maxConnections = 8;
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(path, done);
  });
  chmodSync(path, 0o600);
  return ok({
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  });
}

/** Asks the process that holds `dataDir`; undefined when none does. */
export function askOperatorSocket(
  dataDir: string,
  command: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  return new Promise((done, fail) => {
    const socket = connect(operatorSocketPath(dataDir));
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(idleMs, () => socket.destroy(new Error(`no answer to "${command}" within ${idleMs} ms`)));
    socket.once('connect', () => socket.write(`${command}\n`));
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.once('end', () => done(JSON.parse(text) as Record<string, unknown>));
    socket.once('error', (error) => (nobodyListens(error) ? done(undefined) : fail(error)));
  });
}

function operatorSocketPath(dataDir: string): string {
  const path = join(resolve(dataDir), 'millrace.sock');
  if (Buffer.byteLength(path) <= maxSocketPath) return path;
  return join(tmpdir(), `millrace-${createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 24)}.sock`);
}

function answers(path: string): Promise<boolean> {
  return new Promise((done, fail) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      done(true);
    });
    probe.once('error', (error) => (nobodyListens(error) ? done(false) : fail(error)));
  });
}

function nobodyListens(error: Error): boolean {
  return 'code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED');
}

function answerOneLine(socket: Socket, commands: Readonly<Record<string, OperatorCommand>>): void {
  let text = '';
  socket.setEncoding('utf8');
  const onData = (part: string): void => {
    text += part;
    const end = text.indexOf('\n');
    if (end < 0) {
      if (text.length > maxLineBytes) socket.destroy();
      return;
    }
    socket.off('data', onData);
    const name = text.slice(0, end);
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    const answer = command
      ? command()
      : Promise.resolve({ error: `expected one of ${Object.keys(commands).join(', ')}, got "${name.slice(0, 40)}"` });
    answer.then(
      (value) => socket.end(JSON.stringify(value)),
      (error: unknown) => socket.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) })),
    );
  };
  socket.on('data', onData);
}
