/** Videos, uploads, compositions and images of /api/v1 in memory, with the shapes of @millrace/api. For tests of the studio only. */
import type {
  Composition,
  CompositionInput,
  HubJob,
  Image,
  ImageVideoInput,
  TaskProgressResponse,
  Video,
  VideoInput,
} from '@millrace/api';
import type { ApiAnswer } from './fake-api.ts';
import type { FakeHub } from './fake-hub.ts';

const ownerId = 'own_01jd4000000000000000000000';
const steps = { probe: 5, audio: 10, subtitles: 20, poster: 10, ladder: 50, publish: 5 } as const;
const now = () => new Date().toISOString();
type Body = Readonly<Record<string, unknown>>;

export class FakeMedia {
  readonly videos = new Map<string, Video>();
  readonly runs = new Map<string, TaskProgressResponse>();
  readonly compositions = new Map<string, Composition>();
  readonly images = new Map<string, Image>();
  /** Mutating calls as they came: `POST /videos/vid/reprocess {...}`. */
  readonly asked: string[] = [];
  origin = '';
  readonly #hub: FakeHub;
  #ids = 0;

  constructor(hub: FakeHub) {
    this.#hub = hub;
  }

  clear(): void {
    for (const map of [this.videos, this.runs, this.compositions, this.images]) map.clear();
    this.asked.length = 0;
  }

  /** A video as if it had been made before; ready to play unless told otherwise. */
  seed(change: Partial<Video> = {}): Video {
    const video: Video = {
      ...{ video_id: this.#id('vid'), playback_id: this.#id('play'), owner_id: ownerId, title: 'Holiday' },
      ...{ visibility: 'public', origin: 'upload', status: 'completed', source_state: 'ready', language: 'en' },
      media: {
        ...{ container: 'mov,mp4', duration_ms: 6_000, size_bytes: 480_000 },
        video: {
          ...{ codec: 'h264', profile: 'High', width: 1280, height: 720, frames_per_second: 30, rotation: 0 },
          ...{ bits_per_second: 2_500_000, pixel_format: 'yuv420p' },
        },
        audio: {
          codec: 'aac',
          profile: 'LC',
          channels: 2,
          sample_rate: 48_000,
          bits_per_second: 128_000,
          language: null,
        },
      },
      ...{ size_bytes: 480_000, current_task_id: null, progress: 100, error: null, playback: null },
      source_progress: null,
      ...{ created_at: now(), updated_at: now() },
      ...change,
    };
    const at = `${this.origin}/vod/${video.playback_id}`;
    const playback = {
      ...{ hls_url: `${at}/index.m3u8`, dash_url: `${at}/index.mpd`, poster_url: `${at}/poster.jpg`, complete: true },
      ...{ storyboard_url: `${at}/storyboard.vtt`, file_url: `${at}/video.mp4` },
      subtitles: [{ language: 'en', url: `${at}/ast_1/subtitles-en.vtt` }],
    };
    const shown = video.status === 'completed' && change.playback === undefined ? { ...video, playback } : video;
    this.videos.set(shown.video_id, shown);
    return shown;
  }

  /** What the hub and the API say of the run of a video from now on. */
  move(videoId: string, change: Partial<TaskProgressResponse>, quietly = false): void {
    const video = this.videos.get(videoId);
    const run = this.runs.get(videoId);
    if (video === undefined || run === undefined || run.task_id === null) throw new Error(`no run of ${videoId}`);
    const next = { ...run, ...change, updated_at: now() };
    this.runs.set(videoId, next);
    const active = next.status === 'pending' || next.status === 'processing';
    const { status, progress, error } = next;
    const moved = {
      ...video,
      status,
      progress,
      error,
      current_task_id: active ? run.task_id : null,
      updated_at: now(),
    };
    this.videos.set(videoId, moved);
    if (status === 'completed' && moved.playback === null) this.seed({ ...moved, playback: undefined as never });
    if (!quietly) this.#hub.tellJob(jobOf(run.task_id, 'process', videoId, next));
  }

  /** What the hub says of the import of a video. */
  moveImport(videoId: string, bytes: { received: number; total: number | null }): void {
    const share = bytes.total === null ? 0 : (bytes.received / bytes.total) * 100;
    const said = {
      status: 'processing' as const,
      progress: share,
      phase: 'fetching the file',
      eta_ms: 8_000,
      steps: [],
    };
    this.#hub.tellJob({ ...jobOf(videoId.replace('vid_', 'imp_'), 'import', videoId, said), bytes });
  }

  moveComposition(id: string, change: Partial<Composition>): void {
    const composition = this.compositions.get(id);
    if (composition === undefined) throw new Error(`no composition ${id}`);
    const next = { ...composition, ...change, updated_at: now() };
    this.compositions.set(id, next);
    this.#hub.tellJob(jobOf(composition.task_id, 'compose', id, next));
  }

  /** A worker has made the thumbnail. */
  makeThumbnail(name: string): void {
    const image = this.images.get(name);
    if (image === undefined) throw new Error(`no image ${name}`);
    this.images.set(name, { ...image, thumbnail_url: `${this.origin}/api/v1/images/${name}/thumbnail?v=img_1.webp` });
  }

  moveImage(name: string, change: Partial<Image>, phase: string | null = null): void {
    const image = this.images.get(name);
    if (image === undefined || image.task_id === null) throw new Error(`no run of ${name}`);
    const next = { ...image, ...change, updated_at: now() };
    this.images.set(name, next);
    const status = next.video_status === 'none' ? 'cancelled' : next.video_status;
    const { progress } = next;
    this.#hub.tellJob(jobOf(image.task_id, 'image-video', name, { status, progress, phase, eta_ms: 2_000, steps: [] }));
  }

  answer(method: string, parts: readonly string[], query: URLSearchParams, body: Body): ApiAnswer | undefined {
    if (method !== 'GET') this.asked.push(`${method} /${parts.join('/')} ${JSON.stringify(body)}`);
    const [kind, id, part, action] = parts;
    if (kind === 'videos')
      return id === undefined ? this.#videoList(method, query, body) : this.#video(method, id, part, body);
    if (kind === 'jobs' && part === 'cancel' && id !== undefined) return this.#cancel(id);
    if (kind === 'compositions') return this.#composition(method, id, part, body);
    if (kind === 'images') return this.#image(method, id, part, action, query, body);
    return undefined;
  }

  #videoList(method: string, query: URLSearchParams, body: Body): ApiAnswer {
    if (method === 'POST') {
      const input = body as unknown as VideoInput;
      if (input.url?.includes('10.0.0.1')) {
        const detail = 'expected an address on the public internet, 10.0.0.1 is private';
        return {
          status: 422,
          body: { type: '/problems/url-refused', title: 'The URL cannot be imported', status: 422, detail },
        };
      }
      const video = this.seed({
        ...{ title: input.title, visibility: input.visibility ?? 'public', language: input.language ?? null },
        ...{ status: 'pending', progress: 0, media: null, size_bytes: null, playback: null },
        ...(input.url === undefined
          ? ({ origin: 'upload', source_state: 'uploading' } as const)
          : ({
              ...{ origin: 'import', source_state: 'importing' },
              source_progress: { received_bytes: 0, total_bytes: null },
            } as const)),
      });
      return { status: 201, body: { video, upload_url: input.url === undefined ? '/api/v1/uploads' : null } };
    }
    const title = query.get('title')?.toLowerCase() ?? '';
    const status = query.get('status');
    const all = [...this.videos.values()]
      .filter((one) => one.title.toLowerCase().includes(title) && (status === null || one.status === status))
      .sort((a, b) => b.video_id.localeCompare(a.video_id));
    const from = Number(query.get('cursor')?.slice(1) ?? 0);
    const to = from + Number(query.get('limit') ?? 20);
    return ok({ items: all.slice(from, to), next_cursor: to < all.length ? `a${String(to).padStart(4, '0')}` : null });
  }

  #video(method: string, id: string, part: string | undefined, body: Body): ApiAnswer {
    const video = this.videos.get(id);
    if (video === undefined) return missing('video', id);
    if (part === 'playback-tokens') {
      const at = `${this.origin}/vod/${video.playback_id}/h.p.s`;
      const expires_at = new Date(Date.now() + 3_600_000).toISOString();
      const urls = { hls_url: `${at}/index.m3u8`, dash_url: `${at}/index.mpd`, poster_url: `${at}/poster.jpg` };
      const files = { storyboard_url: `${at}/storyboard.vtt`, file_url: `${at}/video.mp4` };
      return { status: 201, body: { token: 'h.p.s', expires_at, ...urls, ...files } };
    }
    if (part === 'reprocess' && method === 'GET') return ok(this.runs.get(id) ?? initial(video));
    if (part === 'reprocess' || part === 'run_sync') return this.#start(video, body['force'] === true);
    if (method === 'DELETE') {
      this.videos.delete(id);
      return { status: 204 };
    }
    if (method === 'PATCH') this.videos.set(id, { ...video, ...body, updated_at: now() });
    return ok(this.videos.get(id));
  }

  /** Starts a run as the server does once a file is there. */
  start(videoId: string): void {
    const video = this.videos.get(videoId);
    if (video !== undefined) this.#start({ ...video, source_state: 'ready' }, true);
  }

  #start(video: Video, force: boolean): ApiAnswer {
    const id = video.video_id;
    if (video.current_task_id !== null && !force) {
      const detail = `task ${video.current_task_id} is ${video.status}: wait for it, cancel it, or give force`;
      const body = { type: '/problems/task-active', title: 'A run of the video is active', status: 409, detail };
      return { status: 409, body: { ...body, task_id: video.current_task_id, status_url: '/x' } };
    }
    const task_id = this.#id('job');
    this.videos.set(id, { ...video, current_task_id: task_id, status: 'pending' });
    this.runs.set(id, {
      ...initial(video),
      task_id,
      kind: 'process',
      status: 'pending',
      created_at: now(),
      error: null,
    });
    this.move(id, { progress: 0 });
    return accepted(task_id, 'process');
  }

  #cancel(taskId: string): ApiAnswer {
    for (const [videoId, run] of this.runs) {
      if (run.task_id !== taskId) continue;
      // It says so at once, and that it has stopped a moment later.
      this.runs.set(videoId, { ...run, cancelling: true, updated_at: now() });
      return { status: 202, body: this.runs.get(videoId) };
    }
    return missing('job', taskId);
  }

  #composition(method: string, id: string | undefined, part: string | undefined, body: Body): ApiAnswer {
    if (id === undefined && method === 'GET') {
      return ok({ items: [...this.compositions.values()].reverse(), next_cursor: null });
    }
    if (id === undefined) {
      const input = body as unknown as CompositionInput;
      const composition: Composition = {
        ...{ composition_id: this.#id('cmp'), task_id: this.#id('job'), owner_id: ownerId },
        title: input.title ?? 'Joined',
        videos: input.videos.map((one) =>
          typeof one === 'string'
            ? { video_id: one, start_ms: null, end_ms: null }
            : { video_id: one.video_id, start_ms: one.start_ms ?? null, end_ms: one.end_ms ?? null },
        ),
        ...{ status: 'pending', cancelling: false, progress: 0, phase: null, eta_ms: null, error: null, output: null },
        steps: ['inspect', 'normalise', 'join'].map((name, i) => step(name, [10, 40, 50][i] ?? 0)),
        ...{ created_at: now(), updated_at: now(), finished_at: null },
      };
      this.compositions.set(composition.composition_id, composition);
      return { status: 202, body: composition };
    }
    const composition = this.compositions.get(id);
    if (composition === undefined) return missing('composition', id);
    if (part !== 'cancel') return ok(composition);
    this.compositions.set(id, { ...composition, cancelling: true, updated_at: now() });
    return { status: 202, body: this.compositions.get(id) };
  }

  #image(
    method: string,
    name: string | undefined,
    part: string | undefined,
    action: string | undefined,
    query: URLSearchParams,
    body: Body,
  ): ApiAnswer {
    if (name === undefined && method === 'GET') {
      const status = query.get('video_status');
      const all = [...this.images.values()].filter(
        (one) => one.img_name.startsWith(query.get('name') ?? '') && (status === null || one.video_status === status),
      );
      const sorted = all.sort((a, b) => (a.img_name < b.img_name ? -1 : 1));
      const behind = sorted.filter((one) => one.img_name > (query.get('cursor') ?? ''));
      const items = behind.slice(0, Number(query.get('limit') ?? 100));
      return ok({ items, next_cursor: behind.length > items.length ? (items.at(-1)?.img_name ?? null) : null });
    }
    if (name === undefined) {
      const uploaded = query.get('img_name');
      const img_name = uploaded ?? String(body['img_name']);
      if (this.images.has(img_name)) {
        const detail = `expected a name that no image has, ${img_name} is taken`;
        return {
          status: 409,
          body: { type: '/problems/image-exists', title: 'There is such an image', status: 409, detail },
        };
      }
      const image: Image = {
        ...{
          img_name,
          has_video: false,
          video_status: 'none',
          video_filename: null,
          source_type: 'upload',
          progress: 0,
        },
        ...{ task_id: null, video_id: null, video_url: null, error: null, created_at: now(), updated_at: now() },
        ...{ video_started_at: null, video_finished_at: null, owner_id: ownerId, prompt: null, parameters: {} },
        ...{ picture_state: uploaded !== null ? 'ready' : body['url'] === undefined ? 'none' : 'importing' },
        picture_error: null,
        thumbnail_url: null,
        image_url: uploaded === null ? null : `${this.origin}/api/v1/images/${img_name}/source`,
        ...(uploaded === null
          ? { width: null, height: null, size_bytes: null, content_type: null }
          : { width: 640, height: 360, size_bytes: 5_000, content_type: 'image/jpeg' }),
        video_parameters: null,
      };
      this.images.set(img_name, image);
      return { status: 201, body: image };
    }
    const image = this.images.get(name);
    if (image === undefined) return missing('image', name);
    if (part === 'history') {
      const change = {
        change: 1,
        at: now(),
        from: 'none' as const,
        to: image.video_status,
        task_id: null,
        reason: null,
      };
      return ok({ items: image.video_status === 'none' ? [] : [change] });
    }
    if (part === 'video' && action === 'cancel') return { status: 202, body: image };
    if (part === 'video' && method === 'POST') {
      const task_id = this.#id('job');
      const video_parameters = { ...(body as unknown as ImageVideoInput) };
      this.images.set(name, { ...image, task_id, video_status: 'pending', progress: 0, video_parameters });
      this.moveImage(name, { video_status: 'pending' });
      return accepted(task_id, 'image-video');
    }
    if (method === 'DELETE') {
      this.images.delete(name);
      return { status: 204 };
    }
    return ok(image);
  }

  #id(prefix: string): string {
    return `${prefix}_01jd4${String(this.#ids++).padStart(21, '0')}`;
  }
}

function ok(body: unknown): ApiAnswer {
  return { status: 200, body };
}

function missing(kind: string, id: string): ApiAnswer {
  return {
    status: 404,
    body: { type: '/problems/not-found', title: 'Not found', status: 404, detail: `no ${kind} ${id}` },
  };
}

function accepted(task_id: string, kind: string): ApiAnswer {
  const body = { task_id, kind, status: 'pending', progress: 0, status_url: '/api/v1/x', created_at: now() };
  return { status: 202, body };
}

export function step(name: string, weight: number): TaskProgressResponse['steps'][number] {
  return { name, weight, status: 'pending', progress: 0, reason: null, started_at: null, finished_at: null };
}

function initial(video: Video): TaskProgressResponse {
  return {
    ...{ task_id: null, kind: null, subject: video.video_id, owner_id: ownerId, status: video.status },
    ...{ cancelling: false, progress: video.progress, phase: null, eta_ms: null, eta_basis: null, attempts: [] },
    steps: Object.entries(steps).map(([name, weight]) => step(name, weight)),
    ...{ error: video.error, created_at: null, started_at: null, updated_at: now(), finished_at: null },
  };
}

function jobOf(
  job_id: string,
  kind: string,
  subject: string,
  said: Pick<TaskProgressResponse, 'status' | 'progress' | 'phase' | 'eta_ms'> & {
    readonly steps: TaskProgressResponse['steps'];
  },
): HubJob {
  const { status, progress, phase, eta_ms } = said;
  const told = said.steps.map(({ name, weight, status, progress }) => ({ name, weight, status, progress }));
  return {
    ...{ job_id, owner_id: ownerId, kind, subject, status, progress, phase, eta_ms, error: null },
    ...{ steps: told.length === 0 ? null : told, updated_at: now() },
  };
}
