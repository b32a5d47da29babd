/** Init section of a CMAF track (ISO 23000-19 7.3.1): ftyp and moov with one trak and mvex, no samples, no edit list. */
import { ascii, box, fullBox, uint16, uint32 } from './box.ts';
import type { AudioTrackFormat, TrackFormat, VideoTrackFormat } from './track-format.ts';

/** Writes ftyp + moov of `track`. */
export function writeInitSection(track: TrackFormat): Uint8Array {
  const moov = box('moov', movieHeader(track), trackBox(track), box('mvex', trackExtends(track)));
  const ftyp = box('ftyp', ascii('iso6'), uint32(0), ascii('iso6'), ascii('cmfc'), ascii('mp41'));
  const bytes = new Uint8Array(ftyp.length + moov.length);
  bytes.set(ftyp);
  bytes.set(moov, ftyp.length);
  return bytes;
}

const unityMatrix = uint32(0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000);

function movieHeader(track: TrackFormat): Uint8Array {
  // creation, modification, timescale, duration; rate 1.0; volume 1.0 and reserved
  const head = uint32(0, 0, track.timescale, 0, 0x1_0000, 0x0100_0000, 0, 0);
  return fullBox('mvhd', 0, 0, head, unityMatrix, uint32(0, 0, 0, 0, 0, 0), uint32(track.trackId + 1));
}

function trackBox(track: TrackFormat): Uint8Array {
  const video = track.kind === 'video';
  const trackHeader = fullBox(
    'tkhd',
    0,
    3, // enabled, in movie
    uint32(0, 0, track.trackId, 0, 0, 0, 0),
    uint16(0, 0, video ? 0 : 0x0100, 0),
    unityMatrix,
    uint32(video ? track.width * 0x1_0000 : 0, video ? track.height * 0x1_0000 : 0),
  );
  const mediaHeader = fullBox('mdhd', 0, 0, uint32(0, 0, track.timescale, 0), uint16(0x55c4, 0)); // language `und`
  const handler = fullBox(
    'hdlr',
    0,
    0,
    uint32(0),
    ascii(video ? 'vide' : 'soun'),
    uint32(0, 0, 0),
    ascii('Millrace\0'),
  );
  const typeHeader = video ? fullBox('vmhd', 0, 1, uint32(0, 0)) : fullBox('smhd', 0, 0, uint32(0));
  const dataInformation = box('dinf', fullBox('dref', 0, 0, uint32(1), fullBox('url ', 0, 1)));
  const sampleTable = box(
    'stbl',
    fullBox('stsd', 0, 0, uint32(1), video ? videoSampleEntry(track) : audioSampleEntry(track)),
    fullBox('stts', 0, 0, uint32(0)),
    fullBox('stsc', 0, 0, uint32(0)),
    fullBox('stsz', 0, 0, uint32(0, 0)),
    fullBox('stco', 0, 0, uint32(0)),
  );
  const mediaInformation = box('minf', typeHeader, dataInformation, sampleTable);
  return box('trak', trackHeader, box('mdia', mediaHeader, handler, mediaInformation));
}

function trackExtends(track: TrackFormat): Uint8Array {
  return fullBox('trex', 0, 0, uint32(track.trackId, 1, 0, 0, 0));
}

function videoSampleEntry(track: VideoTrackFormat): Uint8Array {
  return box(
    'avc1',
    uint16(0, 0, 0, 1), // reserved, data reference 1
    uint32(0, 0, 0, 0),
    uint16(track.width, track.height),
    uint32(0x48_0000, 0x48_0000, 0), // 72 dpi
    uint16(1), // one frame a sample
    new Uint8Array(32), // compressor name
    uint16(0x18, 0xffff),
    box('avcC', track.avcConfig),
  );
}

function audioSampleEntry(track: AudioTrackFormat): Uint8Array {
  // 16.16 cannot hold a rate from 65,536 Hz on; readers take it from the AudioSpecificConfig then.
  const rate = track.timescale < 0x1_0000 ? track.timescale * 0x1_0000 : 0;
  return box(
    'mp4a',
    uint16(0, 0, 0, 1),
    uint32(0, 0),
    uint16(track.channels, 16),
    uint32(0, rate),
    fullBox('esds', 0, 0, elementaryStream(track.audioConfig)),
  );
}

/** ES_Descriptor (ISO 14496-1 7.2.6.5) of AAC. */
function elementaryStream(audioConfig: Uint8Array): Uint8Array {
  const specific = descriptor(5, audioConfig);
  // object type AAC, audio stream with the reserved bit, buffer size and bitrates unknown
  const decoder = descriptor(4, Uint8Array.of(0x40, 0x15, 0, 0, 0), uint32(0, 0), specific);
  return descriptor(3, Uint8Array.of(0, 0, 0), decoder, descriptor(6, Uint8Array.of(2)));
}

function descriptor(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const bytes = contents.flatMap((part) => Array.from(part));
  const size: number[] = [bytes.length & 0x7f];
  for (let rest = bytes.length >> 7; rest > 0; rest >>= 7) size.unshift(0x80 | (rest & 0x7f));
  return Uint8Array.from([tag, ...size, ...bytes]);
}
