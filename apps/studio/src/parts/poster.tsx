/** A still picture of a video; what stands for it while there is none. */
import { useEffect, useState } from 'react';
import { ownAddress } from '../api/own-address.ts';
import { FilmIcon, LockIcon } from './icons.tsx';

interface PosterProps {
  readonly url: string | null | undefined;
  /** Its picture needs a playback token, which a list does not ask for. */
  readonly locked?: boolean;
  /** In the corner, such as the duration. */
  readonly corner?: string | undefined;
}

export function Poster({ url, locked = false, corner }: PosterProps) {
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    void url; // another picture gets another try
    setBroken(false);
  }, [url]);
  const shown = url !== null && url !== undefined && !broken && !locked;
  return (
    <span className="poster">
      {shown ? (
        <img src={ownAddress(url)} alt="" loading="lazy" decoding="async" onError={() => setBroken(true)} />
      ) : locked ? (
        <LockIcon />
      ) : (
        <FilmIcon />
      )}
      {corner !== undefined && <span className="poster-corner">{corner}</span>}
    </span>
  );
}
