/** The picture of an image. It is for who may see it, so it comes by a call with the token and not by its address alone. */
import { useEffect, useRef, useState } from 'react';
import { ownAddress } from '../api/own-address.ts';
import { FilmIcon } from '../parts/icons.tsx';
import { useImageCalls } from './image-calls.ts';
import type { Image } from './image-resources.ts';

/** What the API tells of as `url`, as an address of this page; undefined until it is there. The one before stays until then. */
export function usePicture(url: string | null): string | undefined {
  const calls = useImageCalls();
  const [address, setAddress] = useState<string | undefined>(undefined);
  useEffect(() => {
    if (url === null) return setAddress(undefined);
    const abort = new AbortController();
    void calls.picture(url, abort.signal).then((answer) => {
      if (answer.ok && !abort.signal.aborted) setAddress(URL.createObjectURL(answer.value));
    });
    return () => abort.abort();
  }, [calls, url]);
  useEffect(() => {
    if (address === undefined) return;
    return () => URL.revokeObjectURL(address);
  }, [address]);
  return address;
}

/** Larger ones are shown on their own page only, bytes. */
const largestInList = 6_000_000;

/** Small, for lists, once it is scrolled to: the thumbnail; until that is made, the poster of the video, else the picture itself. */
export function Thumbnail({ image }: { readonly image: Image }) {
  const holder = useRef<HTMLSpanElement>(null);
  const seen = useSeen(holder);
  const [noPoster, setNoPoster] = useState(false);
  const { thumbnail_url: thumbnail, image_url: whole, video_url: video, size_bytes: size } = image;
  const poster = video === null || noPoster ? undefined : ownAddress(video).replace(/index\.m3u8$/, 'poster.jpg');
  const instead = poster === undefined && (size ?? 0) <= largestInList ? whole : null;
  const picture = usePicture(seen ? (thumbnail ?? instead) : null);
  const shown = picture ?? (thumbnail === null ? poster : undefined);
  return (
    <span className="poster" ref={holder}>
      {shown === undefined ? (
        <FilmIcon />
      ) : (
        <img src={shown} alt="" loading="lazy" decoding="async" onError={() => setNoPoster(true)} />
      )}
    </span>
  );
}

/** Whether it has been near the window. */
function useSeen(holder: React.RefObject<HTMLElement | null>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = holder.current;
    if (element === null || seen) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setSeen(true);
      },
      { rootMargin: '200px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [holder, seen]);
  return seen;
}
