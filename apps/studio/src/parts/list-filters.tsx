import { useId } from 'react';
import { SearchField } from './search-field.tsx';

interface ListFiltersProps<S extends string> {
  readonly searchLabel: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly statusLabel: string;
  /** What the list shows without a status. */
  readonly allLabel: string;
  readonly statuses: readonly S[];
  readonly words: Readonly<Record<S, string>>;
  readonly status: S | undefined;
  readonly onStatus: (status: S | undefined) => void;
}

/** Above a list: a text to look for, and one status. */
export function ListFilters<S extends string>(props: ListFiltersProps<S>) {
  const id = useId();
  return (
    <div className="media-filters" role="search">
      <SearchField label={props.searchLabel} value={props.text} onSearch={props.onText} />
      <label htmlFor={id} className="visually-hidden">
        {props.statusLabel}
      </label>
      <select
        id={id}
        value={props.status ?? ''}
        onChange={(event) => props.onStatus(props.statuses.find((one) => one === event.target.value))}
      >
        <option value="">{props.allLabel}</option>
        {props.statuses.map((status) => (
          <option key={status} value={status}>
            {props.words[status]}
          </option>
        ))}
      </select>
    </div>
  );
}
