/** Everything that holds for players of an origin holds for players of an edge: the same tests, with an edge in between. */
import { openEdgeKit } from '../../test/edge-kit.ts';
import { playback } from '../../test/playback-kit.ts';

playback.openKit = (env) => openEdgeKit(env);
await import('./playback-routes.test.ts');
