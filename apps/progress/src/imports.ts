/** Imports put together: as many loops as originals are fetched at once, and as many again for pictures. */
import { Background, Scope } from '@millrace/lifecycle';
import type { DueLoop } from './core/due-loop.ts';
import { Importer, type ImporterDeps } from './inbound/importer.ts';
import { PictureImporter, type PictureImporterDeps } from './inbound/picture-importer.ts';

export interface Imports extends AsyncDisposable {
  readonly originals: Importer;
  readonly pictures: PictureImporter;
}

/** Opens imports; their `loops` run until it is closed. */
export function openImports(originals: ImporterDeps, pictures: PictureImporterDeps, loops: number): Imports {
  const { log } = originals;
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  const opened = { originals: new Importer(originals), pictures: new PictureImporter(pictures) };
  const run = (loop: DueLoop, name: string) => {
    const crashed = (error: unknown) => log.error('loop-crashed', { loop: name, error });
    scope.use(new Background((signal) => loop.run(signal), crashed), name);
  };
  for (let i = 0; i < loops; i++) {
    run(opened.originals.addLoop(), `importer-${i}`);
    run(opened.pictures.addLoop(), `picture-importer-${i}`);
  }
  return { ...opened, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}
