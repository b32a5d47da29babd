/** What the lists of videos and images look at, as their addresses say it. Pure. */

export const jobStatuses = ['pending', 'processing', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];
export const imageVideoStatuses = ['none', 'pending', 'processing', 'completed', 'failed'] as const;
export type ImageVideoStatus = (typeof imageVideoStatuses)[number];

export interface VideosView {
  readonly status?: JobStatus;
  /** Part of the title. */
  readonly title?: string;
}

export interface ImagesView {
  readonly status?: ImageVideoStatus;
  /** Beginning of the name. */
  readonly name?: string;
}

/** Reads `?status=failed&title=intro`; what cannot be is left out. */
export function parseVideosView(query: string): VideosView {
  const said = new URLSearchParams(query);
  const status = jobStatuses.find((one) => one === said.get('status'));
  const title = said.get('title') || undefined;
  return { ...(status === undefined ? {} : { status }), ...(title === undefined ? {} : { title }) };
}

export function parseImagesView(query: string): ImagesView {
  const said = new URLSearchParams(query);
  const status = imageVideoStatuses.find((one) => one === said.get('status'));
  const name = said.get('name') || undefined;
  return { ...(status === undefined ? {} : { status }), ...(name === undefined ? {} : { name }) };
}

/** The query of a list's address; of the whole list there is none. */
export function queryOfView(view: VideosView | ImagesView): string {
  const query = new URLSearchParams(
    Object.entries(view).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
