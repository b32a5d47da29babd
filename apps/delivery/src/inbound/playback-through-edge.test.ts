/** Everything that holds for players of an origin holds for players of an edge: the same tests, with an edge in between. */
import { openEdgeKit } from '../../test/edge-kit.ts';
import { describePlayback } from '../../test/playback-claims.ts';

describePlayback((env) => openEdgeKit(env));
