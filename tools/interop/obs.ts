/** OBS Studio under a virtual display, with a configuration of its own, told on the command line to start streaming. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../rig/child.ts';

/** The settings that getting-started.md asks for: advanced output, x264 at 2,500 Kbps, keyframe interval 2 s. */
const encoderSettings = {
  rate_control: 'CBR',
  bitrate: 2500,
  keyint_sec: 2,
  preset: 'veryfast',
  profile: 'high',
  tune: 'zerolatency',
};

/** Starts OBS streaming to `server` with `key`; closing ends OBS and its display. */
export async function startObs(server: string, key: string): Promise<AsyncDisposable & { log(): string }> {
  const home = mkdtempSync(join(tmpdir(), 'millrace-obs-'));
  writeConfiguration(join(home, 'obs-studio'), server, key);
  const display = `:${90 + (process.pid % 100)}`;
  const screen = startChild('Xvfb', [display, '-screen', '0', '1280x720x24', '-nolisten', 'tcp']);
  await sleep(1_000);
  const args = ['--multi', '--minimize-to-tray', '--startstreaming', '--profile', 'rig', '--collection', 'rig'];
  const env = {
    DISPLAY: display,
    HOME: home,
    XDG_CONFIG_HOME: home,
    XDG_RUNTIME_DIR: home,
    LIBGL_ALWAYS_SOFTWARE: '1',
    QT_QPA_PLATFORM: 'xcb',
  };
  const obs = startChild('obs', [...args, '--disable-updater'], { env });
  return {
    log: () => obs.log(),
    [Symbol.asyncDispose]: async () => {
      await obs[Symbol.asyncDispose]();
      await screen[Symbol.asyncDispose]();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** One profile and one scene with a coloured source. */
function writeConfiguration(dir: string, server: string, key: string): void {
  const profile = join(dir, 'basic', 'profiles', 'rig');
  const scenes = join(dir, 'basic', 'scenes');
  for (const folder of [profile, scenes]) mkdirSync(folder, { recursive: true });
  const global = {
    General: { FirstRun: true, EnableAutoUpdates: false },
    Basic: { Profile: 'rig', ProfileDir: 'rig', SceneCollection: 'rig', SceneCollectionFile: 'rig' },
    BasicWindow: { PreviewEnabled: false },
  };
  const basic = {
    General: { Name: 'rig' },
    Output: { Mode: 'Advanced' },
    AdvOut: { Encoder: 'obs_x264', AudioEncoder: 'ffmpeg_aac', TrackIndex: 1 },
    Video: { BaseCX: 1280, BaseCY: 720, OutputCX: 1280, OutputCY: 720, FPSType: 0, FPSCommon: 30 },
    Audio: { SampleRate: 48000, ChannelSetup: 'Stereo' },
  };
  writeFileSync(join(dir, 'global.ini'), ini(global));
  writeFileSync(join(profile, 'basic.ini'), ini(basic));
  writeFileSync(join(profile, 'streamEncoder.json'), JSON.stringify(encoderSettings));
  const service = { type: 'rtmp_custom', settings: { server, key, use_auth: false, bwtest: false } };
  writeFileSync(join(profile, 'service.json'), JSON.stringify(service));
  const item = { name: 'Colour', visible: true, id: 1, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 }, rot: 0, align: 5 };
  const collection = {
    name: 'rig',
    current_scene: 'Scene',
    current_program_scene: 'Scene',
    scene_order: [{ name: 'Scene' }],
    sources: [
      { id: 'scene', name: 'Scene', settings: { items: [item], id_counter: 1 } },
      { id: 'color_source_v3', name: 'Colour', settings: { color: 0xff0000ff, width: 1280, height: 720 } },
    ],
  };
  writeFileSync(join(scenes, 'rig.json'), JSON.stringify(collection));
}

function ini(sections: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>): string {
  return Object.entries(sections)
    .map(([section, values]) => {
      const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
      return `[${section}]\n${lines.join('')}`;
    })
    .join('\n');
}
