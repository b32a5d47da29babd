/** How many watch, with an eye for those who see and words for those who hear. */
import { EyeIcon } from './icons.tsx';

export function ViewerCount({ viewers }: { readonly viewers: number }) {
  return (
    <span className="viewer-count" title="Watching now">
      <EyeIcon />
      {viewers.toLocaleString('en')}
      <span className="visually-hidden"> watching now</span>
    </span>
  );
}
