/** The data behind the page as files. */
import { useId, useState } from 'react';
import { useAction } from '../pages/use-call.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import type { AnalyticsView } from '../routing/analytics-view.ts';
import { type ExportDataset, type ExportFormat, exportDatasets } from './analytics-calls.ts';
import { useAnalyticsCalls } from './use-analytics.ts';

const words: Readonly<Record<ExportDataset, string>> = {
  sessions: 'Sessions',
  minutes: 'Figures by minute',
  beacons: 'Reports of players',
  ingest: 'Ingest health',
};

export function ExportMenu({ view }: { readonly view: AnalyticsView }) {
  const id = useId();
  const calls = useAnalyticsCalls();
  const { busy, error, run } = useAction();
  const [dataset, setDataset] = useState<ExportDataset>('sessions');
  const save = async (format: ExportFormat) => {
    const file = await run(() => calls.exportFile(view, dataset, format));
    if (file !== undefined) saveFile(file, `millrace-${dataset}-${new Date().toISOString().slice(0, 16)}.${format}`);
  };
  return (
    <section className="export" aria-labelledby={`${id}-heading`}>
      <div className="section-head">
        <h2 id={`${id}-heading`}>Export</h2>
      </div>
      <p className="hint">
        What the range and the filters above select, for a spreadsheet (CSV) or for data tools (Parquet).
      </p>
      <div className="actions">
        <div className="filter">
          <label htmlFor={id} className="visually-hidden">
            Data to export
          </label>
          <select
            id={id}
            value={dataset}
            onChange={(event) => setDataset(exportDatasets.find((one) => one === event.target.value) ?? dataset)}
          >
            {exportDatasets.map((one) => (
              <option key={one} value={one}>
                {words[one]}
              </option>
            ))}
          </select>
        </div>
        <button type="button" className="button" disabled={busy} onClick={() => void save('csv')}>
          CSV
        </button>
        <button type="button" className="button" disabled={busy} onClick={() => void save('parquet')}>
          Parquet
        </button>
        {busy && <span role="status">Preparing the file…</span>}
      </div>
      <ErrorNotice error={error} />
    </section>
  );
}

/** The token travels in a header, so the browser cannot fetch the file from a link. */
function saveFile(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name.replaceAll(':', '');
  link.click();
  // The browser has taken hold of the file by the next task.
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}
