/**
 * hls.js 1.7.4 looks whether it may load audio of a live stream every 100 ms, and needs two looks after the first video
 * frame has told it the time offset: the sound, and with it the picture, starts up to 0.2 s late. Here it looks at once.
 * (`audioStreamController` is hls.js's own place to put another class.)
 */
import Hls, { Events } from 'hls.js';

const AudioStreamController = Hls.DefaultConfig.audioStreamController;

/** hls.js's controller of audio renditions, without the wait; undefined in a build of hls.js that has none. */
export const PromptAudioController =
  AudioStreamController &&
  class extends AudioStreamController {
    constructor(...args: ConstructorParameters<NonNullable<typeof Hls.DefaultConfig.audioStreamController>>) {
      super(...args);
      // Registered after hls.js's own handler, which notes the offset. The first look leaves the waiting state, the second loads.
      args[0].on(Events.INIT_PTS_FOUND, () => {
        this.tick();
        this.tick();
      });
    }
  };
