/** The videos to be joined, in playing order: moved by dragging, by the arrow keys on the handle, or by buttons. */
import { type DragEvent, type KeyboardEvent, useId, useRef, useState } from 'react';
import { runningTime } from '../format/numbers.ts';
import { CrossIcon, DownIcon, GripIcon, UpIcon } from '../parts/icons.tsx';
import { Poster } from '../parts/poster.tsx';
import { type DraftItem, formatTime, moved, trimOf } from './compose-draft.ts';

interface SequenceProps {
  readonly items: readonly DraftItem[];
  readonly onChange: (items: readonly DraftItem[]) => void;
}

export function Sequence({ items, onChange }: SequenceProps) {
  const [dragged, setDragged] = useState<number | undefined>(undefined);
  const [said, setSaid] = useState('');
  const list = useRef<HTMLOListElement>(null);
  const move = (from: number, to: number) => {
    const next = moved(items, from, to);
    const item = items[from];
    if (next === items || item === undefined) return;
    onChange(next);
    setSaid(`${item.title} is now number ${next.indexOf(item) + 1} of ${next.length}.`);
  };
  const over = (event: DragEvent, index: number) => {
    if (dragged === undefined) return;
    event.preventDefault();
    if (dragged === index) return;
    move(dragged, index);
    setDragged(index);
  };
  return (
    <>
      <ol className="sequence" ref={list}>
        {items.map((item, index) => (
          <li
            key={item.key}
            className="sequence-item"
            data-dragged={dragged === index ? '' : undefined}
            onDragOver={(event) => over(event, index)}
            onDrop={(event) => event.preventDefault()}
          >
            <SequenceItem
              item={item}
              index={index}
              count={items.length}
              onMove={(to) => move(index, to)}
              onChange={(changed) => onChange(items.map((one) => (one.key === item.key ? changed : one)))}
              onRemove={() => {
                onChange(items.filter((one) => one.key !== item.key));
                setSaid(`${item.title} was taken out.`);
              }}
              onDrag={(drags) => setDragged(drags ? index : undefined)}
            />
          </li>
        ))}
      </ol>
      <p className="visually-hidden" role="status">
        {said}
      </p>
    </>
  );
}

interface SequenceItemProps {
  readonly item: DraftItem;
  readonly index: number;
  readonly count: number;
  readonly onMove: (to: number) => void;
  readonly onChange: (item: DraftItem) => void;
  readonly onRemove: () => void;
  readonly onDrag: (drags: boolean) => void;
}

function SequenceItem({ item, index, count, onMove, onChange, onRemove, onDrag }: SequenceItemProps) {
  const id = useId();
  const trim = trimOf(item);
  const onKey = (event: KeyboardEvent) => {
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    onMove(to);
  };
  const wrong = trim.ok ? undefined : trim.error;
  const field = (part: 'start' | 'end', label: string, placeholder: string) => (
    <div className="field">
      <label htmlFor={`${id}-${part}`}>{label}</label>
      <input
        id={`${id}-${part}`}
        inputMode="decimal"
        autoComplete="off"
        placeholder={placeholder}
        value={item[part]}
        aria-invalid={wrong !== undefined}
        aria-describedby={wrong === undefined ? undefined : `${id}-wrong`}
        onChange={(event) => onChange({ ...item, [part]: event.target.value })}
      />
    </div>
  );
  return (
    <>
      <button
        type="button"
        className="grip"
        draggable
        onDragStart={(event) => {
          event.dataTransfer.effectAllowed = 'move';
          event.dataTransfer.setData('text/plain', item.title);
          onDrag(true);
        }}
        onDragEnd={() => onDrag(false)}
        onKeyDown={onKey}
        aria-label={`Move ${item.title}, number ${index + 1} of ${count}: drag it, or use the arrow keys`}
      >
        <GripIcon />
      </button>
      <Poster url={item.posterUrl} locked={item.locked} corner={runningTime(item.durationMs)} />
      <div className="sequence-words">
        <span className="item-name">{item.title}</span>
        <span className="hint">{trim.ok ? `takes ${formatTime(trim.value.lengthMs)}` : ' '}</span>
      </div>
      <div className="sequence-trim" role="group" aria-label={`Part of ${item.title}`}>
        {field('start', 'From', '0:00')}
        {field('end', 'To', formatTime(item.durationMs))}
      </div>
      <div className="sequence-actions">
        <IconButton label={`Move ${item.title} up`} disabled={index === 0} onClick={() => onMove(index - 1)}>
          <UpIcon />
        </IconButton>
        <IconButton label={`Move ${item.title} down`} disabled={index === count - 1} onClick={() => onMove(index + 1)}>
          <DownIcon />
        </IconButton>
        <IconButton label={`Take ${item.title} out`} onClick={onRemove}>
          <CrossIcon />
        </IconButton>
      </div>
      {wrong !== undefined && (
        <p className="sequence-wrong" id={`${id}-wrong`}>
          {wrong}
        </p>
      )}
    </>
  );
}

interface IconButtonProps {
  readonly label: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
  readonly children: React.ReactNode;
}

function IconButton({ label, disabled = false, onClick, children }: IconButtonProps) {
  return (
    <button
      type="button"
      className="button button-small button-icon"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
