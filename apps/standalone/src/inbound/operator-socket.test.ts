import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectOk } from '@millrace/result';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askOperatorSocket, openOperatorSocket } from './operator-socket.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-operator-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the operator socket', () => {
  it('answers a command with one JSON value, and an unknown one with what it knows', async () => {
    await using _ = expectOk(await openOperatorSocket(folder, { ping: () => Promise.resolve({ pong: 1 }) }), 'open');
    expect(await askOperatorSocket(folder, 'ping')).toEqual({ pong: 1 });
    expect(await askOperatorSocket(folder, 'toString')).toEqual({ error: 'expected one of ping, got "toString"' });
    expect(statSync(join(folder, 'millrace.sock')).mode & 0o777).toBe(0o600);
  });

  it('locks the data folder until it closes', async () => {
    const first = expectOk(await openOperatorSocket(folder, {}), 'open');
    const second = await openOperatorSocket(folder, {});
    expect(second.ok ? '' : second.error.message).toContain('is in use by a running Millrace');
    await first[Symbol.asyncDispose]();
    await using _ = expectOk(await openOperatorSocket(folder, {}), 'reopen');
  });

  it('takes over from a process that was killed', async () => {
    const { spawn } = await import('node:child_process');
    const path = join(folder, 'millrace.sock');
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const killed = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((done) => killed.stdout.once('data', done));
    killed.kill('SIGKILL');
    await new Promise((done) => killed.once('exit', done));
    await using _ = expectOk(await openOperatorSocket(folder, {}), 'open over a stale socket');
  });

  it('says that nobody is there, and works in a folder with a long path', async () => {
    expect(await askOperatorSocket(folder, 'ping')).toBeUndefined();
    const deep = join(folder, 'a'.repeat(60), 'b'.repeat(60));
    await using _ = expectOk(await openOperatorSocket(deep, { ping: () => Promise.resolve({ ok: true }) }), 'open');
    expect(await askOperatorSocket(deep, 'ping')).toEqual({ ok: true });
  });

  it('drops a peer that sends an endless line', async () => {
    await using _ = expectOk(await openOperatorSocket(folder, {}), 'open');
    const peer = connect(join(folder, 'millrace.sock'));
    const closed = new Promise<void>((done) => peer.once('close', () => done()));
    peer.on('error', () => {});
    peer.write('x'.repeat(5000));
    await closed;
  });
});
