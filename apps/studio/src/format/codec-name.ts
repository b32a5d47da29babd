/** A codec string of RFC 6381 as people know it: `avc1.64001f` is `H.264 High`; unknown ones stay as they are. */
export function codecName(codec: string): string {
  const [kind = '', detail = ''] = codec.toLowerCase().split('.', 2);
  if (kind === 'avc1' || kind === 'avc3' || kind === 'h264') {
    const profile = h264Profiles[detail.slice(0, 2)];
    return profile === undefined ? 'H.264' : `H.264 ${profile}`;
  }
  if (kind === 'hvc1' || kind === 'hev1' || kind === 'hevc') return 'HEVC';
  if (kind === 'av01') return 'AV1';
  if (kind === 'mp4a' || kind === 'aac') return 'AAC';
  return codec;
}

const h264Profiles: Readonly<Record<string, string>> = {
  '42': 'Baseline',
  '4d': 'Main',
  '58': 'Extended',
  '64': 'High',
};
