/**
 * One real engine for a whole test run: a supervisor in the test runner's main process starts it when the first test asks, so that a
 * run without it does not pay for it, and stops it when the run ends. Test processes ask over a socket in a folder.
 */
import { rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';

/**
 * Opens the supervisor in `folder`, which is removed with it; `socketPath` goes into the environment of the test processes.
 * `tell` picks what they are answered, as JSON.
 */
export async function openTestEngineSupervisor<E extends AsyncDisposable>(
  folder: string,
  open: () => Promise<E>,
  tell: (engine: E) => Readonly<Record<string, unknown>>,
): Promise<{ readonly socketPath: string } & AsyncDisposable> {
  const socketPath = join(folder, 'supervisor.sock');
  let engine: Promise<E> | undefined;
  const server = createServer((_request, response) => {
    engine ??= open();
    engine.then(
      (opened) => response.end(JSON.stringify(tell(opened))),
      (error: unknown) => response.end(JSON.stringify({ error: String(error) })),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  server.unref();
  return {
    socketPath,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      const opened = await engine?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What the supervisor tells of its engine; rejects when `name` did not start, so that tests fail and say why. */
export function askTestEngine<T>(socketPath: string, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/' }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        const answer = JSON.parse(body) as T & { readonly error?: string };
        if (answer.error === undefined) resolve(answer);
        else reject(new Error(`the tests' ${name} did not start: ${answer.error}`));
      });
    });
    asked.once('error', reject);
    asked.end();
  });
}
