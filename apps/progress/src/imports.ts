/** Imports put together: as many loops as originals are fetched at once. */
import { Background, Scope } from '@millrace/lifecycle';
import { Importer, type ImporterDeps } from './inbound/importer.ts';

export interface Imports extends AsyncDisposable {
  readonly importer: Importer;
}

/** Opens imports; its `loops` run until it is closed. */
export function openImports(deps: ImporterDeps, loops: number): Imports {
  const { log } = deps;
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  const importer = new Importer(deps);
  for (let i = 0; i < loops; i++) {
    const crashed = (error: unknown) => log.error('loop-crashed', { loop: 'importer', error });
    const loop = importer.addLoop();
    scope.use(new Background((signal) => loop.run(signal), crashed), `importer-${i}`);
  }
  return { importer, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}
