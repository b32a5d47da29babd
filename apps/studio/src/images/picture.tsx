/** The picture of an image. It is for who may see it, so it comes by a call with the token and not by its address alone. */
import { useEffect, useRef, useState } from 'react';
import { ownAddress } from '../api/own-address.ts';
import { FilmIcon } from '../parts/icons.tsx';
import { useImageCalls } from './image-calls.ts';
import type { Image } from './image-resources.ts';

/** The picture as an address of this page; undefined until it is there. `wanted` false: it is not asked for. */
export function usePicture({ img_name: name, image_url: url }: Image, wanted: boolean): string | undefined {
  const calls = useImageCalls();
  const [address, setAddress] = useState<string | undefined>(undefined);
  const asked = wanted && url !== null;
  useEffect(() => {
    if (!asked) return;
    const abort = new AbortController();
    let made: string | undefined;
    void calls.picture(name, abort.signal).then((answer) => {
      if (!answer.ok || abort.signal.aborted) return;
      made = URL.createObjectURL(answer.value);
      setAddress(made);
    });
    return () => {
      abort.abort();
      if (made !== undefined) URL.revokeObjectURL(made);
      setAddress(undefined);
    };
  }, [calls, name, asked]);
  return address;
}

/** Larger ones are shown on their own page only, bytes. */
const largestThumbnail = 6_000_000;

/** Small, for lists: of an image with a video the video's poster, else the picture once it is scrolled to. */
export function Thumbnail({ image }: { readonly image: Image }) {
  const holder = useRef<HTMLSpanElement>(null);
  const seen = useSeen(holder);
  const [noPoster, setNoPoster] = useState(false);
  const poster =
    image.video_url === null || noPoster
      ? undefined
      : ownAddress(image.video_url).replace(/index\.m3u8$/, 'poster.jpg');
  const small = (image.size_bytes ?? 0) <= largestThumbnail;
  const picture = usePicture(image, seen && poster === undefined && small);
  const shown = poster ?? picture;
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
